#!/usr/bin/env python3
"""Compares the answers of a converted head with those that train_head.py recorded of transformers.

    check_head.py VDSQ FILE FOLDER [OPTIONS OF CLASSIFY...]

FOLDER is the checkpoint that FILE was converted from. Prints the share of texts with the same label, the
largest and the mean difference of a probability, and how many texts have one above 0.02.
"""
import json
import pathlib
import subprocess
import sys

vdsq, file, folder, *options = sys.argv[1:]
expected = [json.loads(line) for line in (pathlib.Path(folder) / "expected.jsonl").read_text().splitlines()]
names = json.loads((pathlib.Path(folder) / "config.json").read_text())["id2label"]
names = [names[str(i)] for i in range(len(names))]
out = subprocess.run(
    [vdsq, "classify", file, "--field", "text", "--json", "--top", str(len(names)), "-q", *options],
    input="".join(json.dumps({"text": x["text"]}) + "\n" for x in expected), capture_output=True, text=True, check=True)
gaps, same = [], 0
for line, x in zip(out.stdout.splitlines(), expected, strict=True):
    answer = json.loads(line)
    found = {c["label"]: c["probability"] for c in answer["top"]}
    gaps.append([abs(found[n] - p) for n, p in zip(names, x["probabilities"])])
    same += answer["label"] == x["label"]
largest = [max(g) for g in gaps]
print(f"same label {same / len(gaps):.2%}, largest difference {max(largest):.4f}, "
      f"mean {sum(map(sum, gaps)) / len(gaps) / len(names):.5f}, {sum(g > 0.02 for g in largest)} of {len(gaps)} texts above 0.02")

"""How much of a learned classifier a few words per label keep (`vdsq adapt --words`).

    Benchmarks/run words FOLDER [--sets a,b] [--counts 1,3,5,10] [--shots 64] [--model FILE]

FOLDER is as in fewshot.py. From so many examples per label (all of them with 0), words are found, and the
label file classifies the test texts; beside it label words as they are given, and an adapter of
`--method frozen` from the same examples."""
import argparse
import json
import pathlib
import subprocess
import tempfile

import numpy as np

from programs import CACHE, VDSQ

parser = argparse.ArgumentParser()
parser.add_argument("folder")
parser.add_argument("--sets")
parser.add_argument("--counts", default="1,3,5,10")
parser.add_argument("--shots", type=int, default=64)
parser.add_argument("--model", default=CACHE / "minilm.vdsq")
arguments = parser.parse_args()
counts = [int(c) for c in arguments.counts.split(",")]


def run(command, texts=()):
    data = "".join(json.dumps({"text": t}) + "\n" for t in texts)
    return subprocess.run([VDSQ, *map(str, command)], input=data, capture_output=True, text=True, check=True).stdout


def accuracy(options, test):
    out = run(["classify", arguments.model, "--field", "text", "--json", "-q", *options], [x["text"] for x in test])
    return np.mean([json.loads(a)["label"] == x["label"] for a, x in zip(out.splitlines(), test)])


folders = [f for f in sorted(pathlib.Path(arguments.folder).iterdir()) if (f / "labels.json").exists()]
if arguments.sets:
    folders = [f for f in folders if f.name in arguments.sets.split(",")]
print("| set | labels | given words | " + " | ".join(f"{c} found" for c in counts) + " | adapter |")
print("|---" * (4 + len(counts)) + "|")
shown = []
with tempfile.TemporaryDirectory() as scratch:
    scratch = pathlib.Path(scratch)
    for folder in folders:
        train, test = ([json.loads(x) for x in open(folder / f"{p}.jsonl")] for p in ("train", "test"))
        seen = {}
        chosen = []
        for x in train:
            seen[x["label"]] = seen.get(x["label"], 0) + 1
            if not arguments.shots or seen[x["label"]] <= arguments.shots:
                chosen.append(x)
        examples = scratch / "examples.jsonl"
        examples.write_text("".join(json.dumps(x) + "\n" for x in chosen))
        row = [accuracy(["--labels-file", folder / "labels.json"], test)]
        for count in counts:
            rule = scratch / "rule.json"
            run(["adapt", arguments.model, examples, "--words", count, "-o", rule, "--force", "-q",
                 "--cache", scratch])
            row.append(accuracy(["--labels-file", rule], test))
            if count == counts[-2 if len(counts) > 1 else -1]:
                labels = json.loads(rule.read_text())
                shown += [f"- {folder.name}: " + "; ".join(
                    f"{k}: {', '.join(v)}" for k, v in list(labels.items())[:4])]
        adapter = scratch / "a.vdsa"
        run(["adapt", arguments.model, examples, "-o", adapter, "--method", "frozen", "--force", "-q"])
        row.append(accuracy(["--adapter", adapter], test))
        print(f"| {folder.name} | {len(seen)} | " + " | ".join(f"{a:.3f}" for a in row) + " |", flush=True)
print("\n" + "\n".join(shown))

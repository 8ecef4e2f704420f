"""Compares converted language models with transformers' outputs: python3 check_language_model.py VDSQ."""
import json
import math
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[1]
GOLDEN = [json.loads(line.rstrip(",\n")) for line in open(ROOT / "Models/samples/smollm2.json")
          if line.startswith("{")]
# Of each type of weights: the least share of texts with the same likeliest token, the least cosine of a
# state, and the largest difference of a logit.
BARS = {"fp16": (1.0, 0.9999, 0.05), "int8": (0.9, 0.995, 1.2)}
TEXTS = "".join(json.dumps({"text": row["text"]}) + "\n" for row in GOLDEN).encode()


def run(*arguments):
    found = subprocess.run([sys.argv[1], *arguments, "--field", "text", "-q"], input=TEXTS,
                           stdout=subprocess.PIPE, check=True).stdout
    return [json.loads(line) for line in found.splitlines()]


def cosine(a, b):
    product = sum(x * y for x, y in zip(a, b))
    return product / math.sqrt(sum(x * x for x in a) * sum(x * x for x in b))


failures = []
for weights, (least, closeness, difference) in BARS.items():
    model = str(ROOT / f".cache/smollm2-{weights}.vdsq")
    logits = run("logits", model, "--entangled", "--json", "--top", "100")
    states = run("embed", model)
    tokens = run("embed", model, "--tokens")
    same = balanced = 0
    cosines, errors = [], []
    for row, found, state, ids in zip(GOLDEN, logits, states, tokens, strict=True):
        if ids["tokens"] != row["ids"]:
            failures.append(f"{weights}: tokens of {row['text']!r}: {ids['tokens']}, not {row['ids']}")
        head = {x["id"]: x["logit"] for x in found["entangled"]}
        same += found["entangled"][0]["id"] == row["top"][0]
        balanced += row["top"][0] in [x["id"] for x in found["tokens"][:10]]
        cosines.append(cosine(state["embedding"], row["state"]))
        errors += [abs(head[i] - logit) for i, logit in zip(row["top"], row["logits"]) if i in head]
    count = len(GOLDEN)
    print(f"{weights}: {same} of {count} likeliest tokens agree with transformers, {balanced} are among "
          f"the ten closest bases; cosine of states at least {min(cosines):.5f}; logits differ by at "
          f"most {max(errors):.3f}")
    if same < least * count or balanced < 0.9 * count:
        failures.append(f"{weights}: likeliest tokens differ")
    if min(cosines) < closeness or max(errors) > difference:
        failures.append(f"{weights}: states or logits differ")
for failure in failures:
    print(f"FAILED: {failure}", file=sys.stderr)
sys.exit(1 if failures else 0)

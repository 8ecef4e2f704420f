"""How well wrong labels are found: regions of categories beside held-out log-odds, on injected noise.

    Benchmarks/run categories FOLDER [--sets a,b] [--shares 5,10,20] [--seeds 2] [--model FILE]

FOLDER is as in fewshot.py. A share of the training texts gets the label of another text, drawn at random.
Average precision (scikit-learn) of each ranking, over all texts: reconsideration probabilities with each
radius, distances to centres and to convex hulls, the labels of the ten nearest texts, the log-odds of
adapters that were trained without the text (`vdsq review`), and sums of ranks. Chance is the share."""
import argparse
import json
import pathlib
import subprocess
import tempfile

import numpy as np
from scipy.stats import rankdata
from sklearn.metrics import average_precision_score

from programs import CACHE, VDSQ

parser = argparse.ArgumentParser()
parser.add_argument("folder")
parser.add_argument("--sets")
parser.add_argument("--shares", default="5,10,20")
parser.add_argument("--seeds", type=int, default=2)
parser.add_argument("--model", default=CACHE / "minilm.vdsq")
arguments = parser.parse_args()


def items(path, *options):
    out = subprocess.run([VDSQ, "categories", arguments.model, path, "--all", "--json", "-q", "--cache",
                          scratch, *options], stdout=subprocess.PIPE, check=True).stdout
    found = json.loads(out)["reconsidered"]
    return sorted(found, key=lambda x: x["line"])


def column(found, name, missing):
    return np.array([x[name] if x[name] is not None else missing for x in found], float)


def rankings(path):
    found = {rule: items(path, "--radius", rule, *(["--review"] if rule == "mean" else []))
             for rule in ("max", "q90", "mean")}
    mean = found["mean"]
    hull = column(mean, "own_hull", 0) - column(mean, "hull", 0)
    odds = -column(mean, "log_odds", 0)
    ranks = {f"RP, radius {rule}": column(x, "probability", 0) - column(x, "own_probability", 100)
             for rule, x in found.items()}
    score = column(mean, "score", -9)
    ranks["distance to the centre"] = score
    ranks["distance to the hull"] = hull
    ranks["ten nearest texts"] = column(mean, "neighbours", 0) - column(mean, "own_neighbours", 0)
    ranks["log-odds (`review`)"] = odds
    ranks["centre + log-odds (`--review`)"] = rankdata(score) + rankdata(odds)
    ranks["hull + log-odds"] = rankdata(hull) + rankdata(odds)
    return ranks


shares = [int(s) for s in arguments.shares.split(",")]
folders = [f for f in sorted(pathlib.Path(arguments.folder).iterdir()) if (f / "labels.json").exists()]
if arguments.sets:
    folders = [f for f in folders if f.name in arguments.sets.split(",")]
table = {}
with tempfile.TemporaryDirectory() as scratch:
    for folder in folders:
        rows = [json.loads(line) for line in open(folder / "train.jsonl")]
        for share in shares:
            for seed in range(arguments.seeds):
                rng = np.random.default_rng(seed)
                wrong = np.zeros(len(rows), bool)
                wrong[rng.permutation(len(rows))[:len(rows) * share // 100]] = True
                right = [x["label"] for x in rows]
                labels = list(right)
                for i in np.where(wrong)[0]:
                    while labels[i] == right[i]:
                        labels[i] = right[rng.integers(len(right))]
                path = pathlib.Path(scratch) / "noisy.jsonl"
                path.write_text("".join(json.dumps({"text": x["text"], "label": y}) + "\n"
                                        for x, y in zip(rows, labels)))
                for name, ranking in rankings(path).items():
                    table.setdefault(name, {}).setdefault((folder.name, share), []).append(
                        average_precision_score(wrong, ranking))
columns = [(f.name, s) for f in folders for s in shares]
print("| ranking | " + " | ".join(f"{n}, {s}%" for n, s in columns) + " |\n" + "|---" * (len(columns) + 1) + "|")
for name, row in table.items():
    print(f"| {name} | " + " | ".join(f"{np.mean(row[c]):.3f}" for c in columns) + " |")

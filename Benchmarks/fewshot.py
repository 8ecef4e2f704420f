"""Few-shot classification on the int8 encoder, beside the same with fp16 weights (multiplied in fp32; its
states equal those of fp32: cosine 1.00000), scikit-learn on the same int8 states, and a finetuned encoder.

    Benchmarks/run fewshot [FOLDER] [--shots 0,1,4,16,64,256] [--seeds 5] [--fp16-seeds 5] [--lora-seeds 1] [--sets a,b]
    Benchmarks/run fewshot [FOLDER] --words permuted|nonsense|one-wrong     words that mislead
    Benchmarks/run fewshot [FOLDER] --unlabelled                            the training texts without their labels
    Benchmarks/run fewshot [FOLDER] --cost

LoRA (lora.py) takes minutes a draw, so it is given fewer draws than the rest, and what a draw gave is kept in
.cache/lora: run again with more --lora-seeds, only what is missing is run. 0 leaves it out. --cost times
adapting to 16 examples of ten labels in whole processes instead.

FOLDER has a folder a set: train.jsonl, test.jsonl ({"text", "label"} a line) and labels.json (label to words). Without
it Debian's package descriptions are sorted into sections (apt-cache dumpavail)."""
import argparse
import hashlib
import json
import pathlib
import re
import statistics
import subprocess
import sys
import tempfile
import warnings

import numpy as np
from sklearn.linear_model import LogisticRegressionCV
from sklearn.model_selection import GridSearchCV, StratifiedKFold
from sklearn.neighbors import KNeighborsClassifier, NearestCentroid
from sklearn.linear_model import LogisticRegression

from programs import CACHE, CHECKPOINT, VDSQ, lines, measured, model

warnings.filterwarnings("ignore")
parser = argparse.ArgumentParser()
parser.add_argument("folder", nargs="?")
parser.add_argument("--shots", default="0,1,4,16,64,256")
parser.add_argument("--seeds", type=int, default=5)
parser.add_argument("--fp16-seeds", type=int, default=5)
parser.add_argument("--lora-seeds", type=int, default=1)
parser.add_argument("--words", choices=["right", "permuted", "nonsense", "one-wrong"], default="right")
parser.add_argument("--unlabelled", action="store_true")
parser.add_argument("--method", default="joint")
parser.add_argument("--cost", action="store_true")
parser.add_argument("--sets")
arguments = parser.parse_args()
encoder = model("int8")
LORA = pathlib.Path(__file__).parent / "lora.py"


def debian():
    """Descriptions of packages, labelled by section, for sections with enough packages."""
    text = subprocess.run(["apt-cache", "dumpavail"], capture_output=True, text=True, check=True).stdout
    found = {}
    for package in text.split("\n\n"):
        section = re.search(r"^Section: (\w+)$", package, re.M)
        summary = re.search(r"^Description(?:-en)?: (.+)$", package, re.M)
        if section and summary and section[1] not in ("libs", "oldlibs", "libdevel", "debug", "doc", "misc", "utils"):
            found.setdefault(section[1], []).append(summary[1])
    rng = np.random.default_rng(0)
    sets = {"train": [], "test": []}
    for section, texts in sorted(found.items()):
        texts = sorted(set(texts))
        if len(texts) < 150:
            continue
        order = rng.permutation(len(texts))
        for part, chosen in [("test", order[:50]), ("train", order[50:150])]:
            sets[part] += [{"text": texts[i], "label": section} for i in chosen]
    labels = sorted({x["label"] for x in sets["test"]})
    return sets["train"], sets["test"], {label: [label] for label in labels}


def read(folder):
    rows = [[json.loads(line) for line in open(folder / f"{part}.jsonl")] for part in ("train", "test")]
    return *rows, json.loads((folder / "labels.json").read_text())


def states(rows, scratch):
    path = scratch / "v.npy"
    subprocess.run([VDSQ, "embed", encoder, "--field", "text", "-o", path, "--force"],
                   input=lines([x["text"] for x in rows]), check=True)
    return np.load(path)


def peers(x, y, count):
    folds = StratifiedKFold(4, shuffle=True, random_state=0) if count >= 4 else None
    if folds:
        yield "logistic regression", LogisticRegressionCV(Cs=[0.1, 1, 10, 100, 1000], cv=folds, max_iter=300,
                                                          scoring="accuracy")
        neighbours = [k for k in (1, 3, 5, 9, 15) if k <= len(x) * 3 // 4]
        yield "kNN", GridSearchCV(KNeighborsClassifier(metric="cosine", weights="distance"),
                                  {"n_neighbors": neighbours}, cv=folds)
    else:
        yield "logistic regression", LogisticRegression(C=10, max_iter=300)
        yield "kNN", KNeighborsClassifier(1, metric="cosine")
    yield "nearest centroid", NearestCentroid()


def lora(train, test, seed):
    return json.loads(measured([sys.executable, str(LORA), CHECKPOINT, str(train), str(test), str(seed)])[0])


def lora_accuracy(train, test, seed):
    """Caches the accuracy of a draw, which takes minutes, for the same script and texts."""
    texts = [path.read_bytes() for path in (LORA, train, test)]
    digest = hashlib.sha256(b"".join(hashlib.sha256(t).digest() for t in texts) + bytes([seed])).hexdigest()
    kept = CACHE / "lora" / f"{digest[:32]}.json"
    if not kept.exists():
        kept.parent.mkdir(exist_ok=True)
        kept.write_text(json.dumps(lora(train, test, seed)))
    return json.loads(kept.read_text())["accuracy"]


def cost(rows, scratch):
    """16 examples of each of ten labels: time and memory of whole processes, in turns."""
    names = sorted({row["label"] for row in rows})[:10]
    write(scratch / "ten.jsonl", [row for n in names for row in [r for r in rows if r["label"] == n][:16]])
    ours, theirs = [], []
    for seed in range(3):
        command = [VDSQ, "adapt", encoder, str(scratch / "ten.jsonl"), "-o", str(scratch / "ten.vdsa"), "--force", "-q"]
        ours.append(measured(command)[1:])
        result = lora(scratch / "ten.jsonl", scratch / "ten.jsonl", seed)
        theirs.append((result["seconds"], result["peak_bytes"]))
    (s, m), (ls, lm) = ([statistics.median(column) for column in zip(*runs)] for runs in (ours, theirs))
    print("| 160 examples, 10 labels | s | peak RSS, MB |\n|---|---|---|")
    print(f"| vdsq adapt, whole process | {s:.2f} | {m / 2**20:.1f} |")
    print(f"| LoRA (peft), without imports | {ls:.1f} | {lm / 2**20:.0f} |")
    print(f"\nvdsq: {ls / s:.0f} times as fast, {lm / m:.0f} times less memory (medians of 3, in turns)")


def misleading(labels):
    """The label words of --words."""
    names = sorted(labels)
    nonsense = {name: [f"xqz{i}" if i else "foo"] for i, name in enumerate(names)}
    if arguments.words == "permuted":
        return {name: labels[names[(i + 1) % len(names)]] for i, name in enumerate(names)}
    if arguments.words == "one-wrong":
        return {**labels, names[0]: nonsense[names[0]]}
    return nonsense if arguments.words == "nonsense" else labels


def write(path, rows):
    path.write_text("".join(json.dumps(x) + "\n" for x in rows))


if arguments.folder:
    folders = sorted(p.parent for p in pathlib.Path(arguments.folder).glob("*/labels.json"))
    sets = {f.name: read(f) for f in folders if not arguments.sets or f.name in arguments.sets.split(",")}
else:
    sets = {"debian-sections": debian()}
if arguments.cost:
    with tempfile.TemporaryDirectory() as folder:
        cost(next(rows for rows, _, labels in sets.values() if len(labels) >= 10), pathlib.Path(folder))
    raise SystemExit
ahead, costs = {}, []
PEERS = ("logistic regression", "kNN", "nearest centroid", "LoRA")
print(f"| set | examples a label | vdsq, int8 | vdsq, fp16 | {' | '.join(PEERS)} | ahead of LoRA | ahead of all |")
print("|---" * (len(PEERS) + 6) + "|")
with tempfile.TemporaryDirectory() as folder:
    scratch = pathlib.Path(folder)
    for name, (train, test, labels) in sets.items():
        write(scratch / "test.jsonl", test)
        (scratch / "labels.json").write_text(json.dumps(misleading(labels)))
        write(scratch / "unlabelled.jsonl", [{"text": row["text"]} for row in train])
        options = ["--unlabelled", scratch / "unlabelled.jsonl"] if arguments.unlabelled else []
        x, tx = states(train, scratch), states(test, scratch)
        y, ty = (np.array([row["label"] for row in rows]) for rows in (train, test))
        for count in map(int, arguments.shots.split(",")):
            figures = {}
            for seed in range(arguments.seeds if count else 1):
                rng = np.random.default_rng(seed)
                chosen = np.concatenate([rng.permutation(np.flatnonzero(y == label))[:count] for label in labels])
                chosen = chosen.astype(int)
                write(scratch / "train.jsonl", [train[i] for i in chosen] or train[:1])
                for column, weights in (("vdsq", "int8"), ("vdsq fp16", "fp16")):
                    if column == "vdsq fp16" and seed >= max(arguments.fp16_seeds, 1):
                        continue
                    out = subprocess.run(
                        [VDSQ, "eval", model(weights), "--test", scratch / "test.jsonl", "--train",
                         scratch / "train.jsonl", "--labels-file", scratch / "labels.json", "--shots",
                         str(count and 1 << 20), "--seeds", "1", "--cache", scratch / "states", "--json",
                         "--method", arguments.method, *options],
                        check=True, capture_output=True).stdout
                    figures.setdefault(column, []).append(json.loads(out)["rows"][0]["accuracy_mean"])
                for peer, classifier in peers(x[chosen], y[chosen], count) if count else []:
                    classifier.fit(x[chosen], y[chosen])
                    figures.setdefault(peer, []).append(float(np.mean(classifier.predict(tx) == ty)))
                if count and seed < arguments.lora_seeds:
                    accuracy = lora_accuracy(scratch / "train.jsonl", scratch / "test.jsonl", seed)
                    figures.setdefault("LoRA", []).append(accuracy)
            # LoRA has fewer draws, so it is compared on its draws only.
            behind = []
            for peer in PEERS:
                if peer in figures:
                    known = figures[peer]
                    behind.append(float(np.mean(figures["vdsq"][:len(known)]) - np.mean(known)) * 100)
            means = {peer: float(np.mean(values)) for peer, values in figures.items()}
            ours, full = means.pop("vdsq"), means.pop("vdsq fp16")
            own = figures["vdsq"][:len(figures["vdsq fp16"])]
            costs.append(float(full - np.mean(own)) * 100)
            cells = [f"{means[p]:.3f}" if p in means else "" for p in PEERS]
            if means:
                ahead.setdefault(count, []).append((ours - means["logistic regression"]) * 100)
            best = f"{min(behind):+.1f}" if behind else ""
            against = f"{behind[PEERS.index('LoRA')]:+.1f}" if "LoRA" in means else ""
            print(f"| {name} | {count} | {ours:.3f} | {full:.3f} | {' | '.join(cells)} | {against} | {best} |", flush=True)
for count, values in ahead.items():
    print(f"\nAt {count}: {np.mean(values):+.1f} points ahead of logistic regression on average.")
print(f"\nint8 costs {np.mean(costs):.2f} points against fp16 weights and fp32 states, on average over all rows.")

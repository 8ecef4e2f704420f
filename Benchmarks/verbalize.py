"""Verbalized learning (Xiao et al., arXiv 2406.04344) with SmolLM2-135M-Instruct: the loss on unseen texts by
the first description and by the learned one.

    Benchmarks/run verbalize [FOLDER] [--sets a,b] [--seeds N] [--train N] [--test N] [--threads N] [--epochs N]

The regressions and the two-class sets of numbers are those of the paper; with FOLDER, as in fewshot.py, SST-2
too. Beside it the best answer that is the same for all texts, and scikit-learn on the numbers: least squares
of a line, logistic regression (for SST-2 of words)."""
import argparse
import json
import pathlib
import subprocess
import tempfile

import numpy as np
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LinearRegression, LogisticRegression

from programs import VDSQ, language_model

parser = argparse.ArgumentParser()
parser.add_argument("folder", nargs="?")
parser.add_argument("--sets")
parser.add_argument("--seeds", type=int, default=2)
parser.add_argument("--train", type=int, default=60)
parser.add_argument("--test", type=int, default=40)
parser.add_argument("--epochs", type=int, default=1)
parser.add_argument("--threads", type=int, default=2)
parser.add_argument("--model")
arguments = parser.parse_args()
MODEL = arguments.model or language_model()


def line(rng, n):
    x = rng.uniform(0, 2, (n, 1))
    return x, 3 * x[:, 0] + 4 + rng.normal(0, 0.1, n)


def parabola(rng, n):
    x = rng.uniform(0, 3, (n, 1))
    return x, 3 * x[:, 0] ** 2 + x[:, 0] + 2 + rng.normal(0, 0.1, n)


def sine(rng, n):
    x = rng.uniform(-3, 3, (n, 1))
    return x, np.sin(x[:, 0]) + 2 + rng.normal(0, 0.1, n)


def blobs(rng, n):
    y = np.arange(n) % 2
    return rng.normal(0, 0.7, (n, 2)) + np.where(y[:, None] == 0, [-2, 1], [2, -1]), y


def circles(rng, n):
    y = np.arange(n) % 2
    angle = rng.uniform(0, 2 * np.pi, n)
    radius = np.where(y == 0, 1, 3) + rng.normal(0, 0.2, n)
    return np.stack([radius * np.cos(angle), radius * np.sin(angle)], 1), y


def numbers(make, rng):
    x, y = make(rng, arguments.train + arguments.test)
    isClass = y.dtype.kind == "i"
    rows = [{"text": ", ".join(f"{n} = {v:.2f}" for n, v in zip("xy" if isClass else "x", row)),
             "label": ("red", "blue")[t] if isClass else f"{t:.2f}"} for row, t in zip(x, y)]
    n = arguments.train
    if isClass:
        peer = np.mean(LogisticRegression().fit(x[:n], y[:n]).predict(x[n:]) != y[n:])
    else:
        peer = np.mean((LinearRegression().fit(x[:n], y[:n]).predict(x[n:]) - y[n:]) ** 2)
    return rows[:n], rows[n:], peer


def reviews(rng):
    folder = pathlib.Path(arguments.folder) / "sst2"
    train, test = ([json.loads(r) for r in open(folder / f"{p}.jsonl")] for p in ("train", "test"))
    train = [train[i] for i in rng.permutation(len(train))[:arguments.train]]
    test = [test[i] for i in rng.permutation(len(test))[:arguments.test]]
    words = TfidfVectorizer().fit([r["text"] for r in train])
    model = LogisticRegression().fit(words.transform([r["text"] for r in train]), [r["label"] for r in train])
    peer = np.mean(model.predict(words.transform([r["text"] for r in test])) != [r["label"] for r in test])
    return train, test, peer


def verbalize(scratch, train, test, options):
    for name, rows in [("train", train), ("test", test)]:
        (scratch / f"{name}.jsonl").write_text("".join(json.dumps(r) + "\n" for r in rows))
    out = subprocess.run(
        [VDSQ, "verbalize", MODEL, scratch / "train.jsonl", "--test", scratch / "test.jsonl", "--json", "-q",
         "--threads", str(arguments.threads), *options], capture_output=True, text=True, check=True).stdout
    return json.loads(out)


sets = {"line": line, "parabola": parabola, "sine": sine, "blobs": blobs, "circles": circles}
if arguments.folder:
    sets["sst2"] = None
if arguments.sets:
    sets = {k: v for k, v in sets.items() if k in arguments.sets.split(",")}
print("| set | one answer | scikit-learn | first description | the paper's loop | `--keep-best` |")
print("|---|---|---|---|---|---|")
with tempfile.TemporaryDirectory() as scratch:
    scratch = pathlib.Path(scratch)
    for name, make in sets.items():
        rows = []
        for seed in range(arguments.seeds):
            rng = np.random.default_rng(seed)
            train, test, peer = numbers(make, rng) if make else reviews(rng)
            common = ["--seed", str(seed), "--epochs", str(arguments.epochs)]
            first = verbalize(scratch, train, test, [*common, "--epochs", "0"])["test"]
            fits = [verbalize(scratch, train, test, common + more) for more in ([], ["--keep-best"])]
            rows.append([first["constant"], peer, first["loss"], *(f["test"]["loss"] for f in fits)])
            for fit in fits:
                print(f"<!-- {name}, seed {seed}: {fit['description']} -->", flush=True)
        print(f"| {name} | " + " | ".join(f"{x:.3f}" for x in np.mean(rows, 0)) + " |", flush=True)

"""Vocabulary semantics on a real language model, SmolLM2-135M-Instruct in int8.

    Benchmarks/run semantics [FOLDER] [--sets a,b] [--shots 1,4,16,64] [--seeds 5] [--texts 500]

Next tokens after prefixes of the sets' test texts, by the head and by bases of every definition; zero-shot
accuracy with label words, plain, corrected by the empty text and by unlabelled texts; few-shot accuracy
beside scikit-learn's logistic regression on the same states. FOLDER is as in fewshot.py; a set's
template.txt has its template, with {text}; without it "{text} It is". Without FOLDER only a few sample
texts are used for next tokens."""
import argparse
import json
import pathlib
import subprocess
import tempfile

import numpy as np
from sklearn.linear_model import LogisticRegression

from programs import CACHE, ROOT, VDSQ, language_model_checkpoint

parser = argparse.ArgumentParser()
parser.add_argument("folder", nargs="?")
parser.add_argument("--sets")
parser.add_argument("--shots", default="1,4,16,64")
parser.add_argument("--seeds", type=int, default=5)
parser.add_argument("--texts", type=int, default=500)
parser.add_argument("--prefixes", type=int, default=600)
arguments = parser.parse_args()
shots = [int(s) for s in arguments.shots.split(",")]
gguf = language_model_checkpoint()
MODEL = CACHE / "smollm2-int8.vdsq"
subprocess.run([VDSQ, "convert", gguf, "-o", MODEL, "--force", "-q"], check=True)
DEFINITIONS = ["balanced", "ridge", "pinv", "head"]
CUT = ["--max-tokens", "160"]


def run(command, texts):
    data = "".join(json.dumps({"text": t}) + "\n" for t in texts).encode()
    return subprocess.run([VDSQ, *map(str, command)], input=data, stdout=subprocess.PIPE,
                          check=True).stdout


def records(command, texts):
    return [json.loads(line) for line in run([*command, "--field", "text", "--json", "-q"],
                                              texts).splitlines()]


def read(folder, part):
    return [json.loads(line) for line in open(folder / f"{part}.jsonl")]


def next_tokens(texts, scratch):
    """Ranks of the true next token, from its place among the 1,000 best."""
    rng = np.random.default_rng(0)
    prefixes, targets = [], []
    words = [text.split(" ") for text in texts]
    for text in words:
        if len(text) > 4:
            cut = int(rng.integers(3, len(text)))
            prefixes.append(" ".join(text[:cut]))
            targets.append(" " + text[cut])
    prefixes, targets = prefixes[:arguments.prefixes], targets[:arguments.prefixes]
    both = [json.loads(line)["tokens"] for line in run(
        ["embed", MODEL, "--tokens", "--field", "text", "-q", *CUT],
        [p + t for p, t in zip(prefixes, targets)]).splitlines()]
    alone = [json.loads(line)["tokens"] for line in run(
        ["embed", MODEL, "--tokens", "--field", "text", "-q", *CUT], prefixes).splitlines()]
    kept = [(p, b[len(a)]) for p, a, b in zip(prefixes, alone, both) if b[:len(a)] == a and len(b) > len(a)]
    print(f"**Next token** after {len(kept)} prefixes\n")
    print("| score | first | in the first ten | median rank | cross-entropy |\n|---|---|---|---|---|")
    rows = {}
    for name in DEFINITIONS:
        extra = []
        if name != "balanced":
            path = pathlib.Path(scratch) / f"{name}.vdsq"
            subprocess.run([VDSQ, "bases", MODEL, "-o", path, "--method", name, "-q", "--json"],
                           check=True, stdout=subprocess.DEVNULL)
            extra = ["--bases", path]
        found = records(["logits", MODEL, "--entangled", "--top", 1000, *extra], [p for p, _ in kept])
        for key, label in (("entangled", "LM head"), ("tokens", f"cosine, {name}")):
            ranks, loss = [], []
            for (_, target), answer in zip(kept, found):
                place = [x["id"] for x in answer[key]]
                ranks.append(place.index(target) if target in place else 10**6)
                if ranks[-1] < 10**6:
                    loss.append(-np.log(max(1e-12, answer[key][ranks[-1]]["probability"])))
            ranks = np.array(ranks)
            rows[label] = (np.mean(ranks == 0), np.mean(ranks < 10), np.median(ranks) + 1, np.mean(loss))
    for label, (first, ten, median, loss) in rows.items():
        print(f"| {label} | {first:.3f} | {ten:.3f} | {median:.0f} | {loss:.2f} |")
    print("\nCross-entropy: in nats, over the prefixes whose next token is among the 1,000 best.\n")


def templates(folder):
    path = folder / "template.txt"
    return path.read_text().strip() if path.exists() else "{text} It is"


def zero_shot(folder):
    test = read(folder, "test")[:arguments.texts]
    labels = ["--labels-file", folder / "labels.json", "--template", templates(folder), *CUT]
    result = []
    for extra in ([], ["--calibrate-on", folder / "train.jsonl"]):
        answers = records(["classify", MODEL, *labels, *extra], [x["text"] for x in test])
        result.append(np.mean([a["label"] == x["label"] for a, x in zip(answers, test)]))
    return result


def few_shot(folder, scratch):
    """Accuracy of vdsq and of logistic regression on the same states, by shots."""
    test, train = read(folder, "test")[:arguments.texts], read(folder, "train")
    template = templates(folder)
    names = sorted({x["label"] for x in train})
    states = {}
    for part, rows in (("test", test), ("train", train)):
        path = pathlib.Path(scratch) / f"{part}.npy"
        run(["embed", MODEL, "--field", "text", "-q", "-o", path, "--force", *CUT],
            [template.replace("{text}", x["text"]) for x in rows])
        states[part] = np.load(path)
    y, truth = (np.array([names.index(x["label"]) for x in rows]) for rows in (train, test))
    ours, theirs = {}, {}
    for count in shots:
        for seed in range(arguments.seeds):
            rng = np.random.default_rng(seed)
            chosen = np.concatenate([rng.permutation(np.where(y == k)[0])[:count] for k in range(len(names))])
            examples = pathlib.Path(scratch) / "examples.jsonl"
            examples.write_text("".join(json.dumps(train[i]) + "\n" for i in chosen))
            adapter = pathlib.Path(scratch) / "a.vdsa"
            subprocess.run([VDSQ, "adapt", MODEL, examples, "--labels-file", folder / "labels.json",
                            "--template", template, *CUT, "-o", adapter, "--force", "-q"], check=True,
                           stdout=subprocess.DEVNULL)
            answers = records(["classify", MODEL, "--adapter", adapter, *CUT], [x["text"] for x in test])
            ours.setdefault(count, []).append(
                np.mean([a["label"] == x["label"] for a, x in zip(answers, test)]))
            x = states["train"][chosen]
            centre, scale = x.mean(0), x.std()
            regression = LogisticRegression(max_iter=500).fit((x - centre) / scale, y[chosen])
            theirs.setdefault(count, []).append(
                np.mean(regression.predict((states["test"] - centre) / scale) == truth))
    return ours, theirs


with tempfile.TemporaryDirectory() as scratch:
    if not arguments.folder:
        texts = [json.loads(line.rstrip(",\n"))["text"] for line in open(ROOT / "Models/samples/smollm2.json")
                 if line.startswith("{")]
        next_tokens(texts, scratch)
        raise SystemExit
    folders = [f for f in sorted(pathlib.Path(arguments.folder).iterdir()) if (f / "labels.json").exists()]
    if arguments.sets:
        folders = [f for f in folders if f.name in arguments.sets.split(",")]
    next_tokens([x["text"] for f in folders for x in read(f, "test")[-arguments.prefixes // len(folders):]],
                scratch)
    print(f"**Zero-shot**, {arguments.texts} test texts\n")
    print("| set | corrected by the empty text | by unlabelled texts |\n|---|---|---|")
    for folder in folders:
        print(f"| {folder.name} | " + " | ".join(f"{a:.3f}" for a in zero_shot(folder)) + " |", flush=True)
    print(f"\n**Few-shot**, vdsq / logistic regression, {arguments.seeds} draws\n")
    print("| set | " + " | ".join(str(s) for s in shots) + " |\n" + "|---" * (len(shots) + 1) + "|")
    for folder in folders:
        ours, theirs = few_shot(folder, scratch)
        print(f"| {folder.name} | " + " | ".join(
            f"{np.mean(ours[s]):.3f} / {np.mean(theirs[s]):.3f}" for s in shots) + " |", flush=True)

"""The experiment of arXiv 2401.16184 on SmolLM2-135M-Instruct: semantic calibration on the label words' bases, trained
on whole training sets, beside its baselines.

    Benchmarks/run paper FOLDER [--sets a,b] [--texts 1000] [--demos 2] [--lora-steps 0]

FOLDER has a folder for each set, with train.jsonl, test.jsonl, labels.json and template.txt ({text}). Rows:
zero-shot (the largest logit of a label's words), in-context learning (the same with DEMOS examples of each label in
front), kNN prompting (Xu et al. 2023: the training texts whose next-token distributions are closest by
Kullback-Leibler divergence vote), logistic regression (scikit-learn) on the same states, the paper's module on the
paper's bases (pinv), on the model's own and on rows of the head, vdsq's default, and LoRA (lora_decoder.py) if
--lora-steps is not 0: it takes minutes a set."""
import argparse
import json
import pathlib
import subprocess
import sys
import tempfile

import gguf
import numpy as np
from gguf.quants import dequantize
from sklearn.linear_model import LogisticRegression

from programs import CACHE, VDSQ, language_model_checkpoint

parser = argparse.ArgumentParser()
parser.add_argument("folder", type=pathlib.Path)
parser.add_argument("--sets")
parser.add_argument("--texts", type=int, default=1000)
parser.add_argument("--demos", type=int, default=2)
parser.add_argument("--lora-steps", type=int, default=0)
arguments = parser.parse_args()
GGUF = language_model_checkpoint()
MODEL, PINV = CACHE / "smollm2-int8.vdsq", CACHE / "smollm2-pinv.vdsq"
subprocess.run([VDSQ, "convert", GGUF, "-o", MODEL, "--force", "-q"], check=True, stdout=subprocess.DEVNULL)
subprocess.run([VDSQ, "bases", MODEL, "--method", "pinv", "-o", PINV, "--force", "-q"], check=True,
               stdout=subprocess.DEVNULL)
HEAD = next(np.array(dequantize(t.data, t.tensor_type), dtype=np.float32)
            for t in gguf.GGUFReader(GGUF).tensors if t.name == "token_embd.weight")
CUT = ["--max-tokens", "160"]


def run(command, rows):
    data = "".join(json.dumps(row) + "\n" for row in rows).encode()
    return subprocess.run([VDSQ, *map(str, command)], input=data, stdout=subprocess.PIPE, check=True).stdout


def states(prompts, scratch, longest):
    path = pathlib.Path(scratch) / "states.npy"
    run(["embed", MODEL, "--field", "text", "-q", "-o", path, "--force", "--max-tokens", longest],
        [{"text": prompt} for prompt in prompts])
    return np.load(path)


def tokens(word):
    return json.loads(run(["embed", MODEL, "--tokens", "--field", "text", "-q"], [{"text": " " + word}]))["tokens"]


def distributions(h):
    """Of each state the expected row of the head, and log Z, over the whole vocabulary."""
    expected, partition = np.empty_like(h), np.empty(len(h), np.float32)
    for first in range(0, len(h), 256):
        z = h[first:first + 256] @ HEAD.T
        top = z.max(1, keepdims=True)
        p = np.exp(z - top)
        total = p.sum(1, keepdims=True)
        partition[first:first + 256] = (top + np.log(total))[:, 0]
        expected[first:first + 256] = (p / total) @ HEAD
    return expected, partition


def knn_prompting(train, y, test, count, neighbors=16):
    """KL(p_test | p_train) is log Z of the training state, less its product with the test's expected row, up to
    what is the same for all training texts."""
    expected, _ = distributions(test)
    _, partition = distributions(train)
    distance = partition[None] - expected @ train.T
    nearest = np.argpartition(distance, min(neighbors, len(train) - 1), 1)[:, :neighbors]
    return np.array([np.bincount(y[row], minlength=count).argmax() for row in nearest])


def adapted(folder, template, test, scratch, *options):
    path = pathlib.Path(scratch) / "a.vdsa"
    subprocess.run([VDSQ, "adapt", MODEL, folder / "train.jsonl", "--labels-file", folder / "labels.json",
                    "--template", template, "-o", path, "--force", "-q", "--cache",
                    pathlib.Path(scratch) / "cache", *CUT, *map(str, options)], check=True, stdout=subprocess.DEVNULL)
    answers = run(["classify", MODEL, "--adapter", path, "--field", "text", "--json", "-q", *CUT],
                  [{"text": row["text"]} for row in test])
    return [json.loads(line)["label"] for line in answers.splitlines()]


def evaluate(folder, scratch):
    read = lambda part: [json.loads(line) for line in open(folder / f"{part}.jsonl")]
    train, test = read("train"), read("test")[:arguments.texts]
    words = json.loads((folder / "labels.json").read_text())
    template = (folder / "template.txt").read_text().strip()
    names = sorted(words)
    y, truth = (np.array([names.index(row["label"]) for row in rows]) for rows in (train, test))
    rows = {name: [HEAD[tokens(word)].mean(0) for word in words[name]] for name in names}

    def by_words(h):
        return np.stack([np.logaddexp.reduce(h @ np.stack(rows[name]).T, 1) for name in names], 1).argmax(1)

    prompt = lambda row: template.replace("{text}", row["text"])
    h, own = states(map(prompt, test), scratch, 160), states(map(prompt, train), scratch, 160)
    rng = np.random.default_rng(0)
    shown = [train[i] for k in range(len(names)) for i in rng.permutation(np.where(y == k)[0])[:arguments.demos]]
    rng.shuffle(shown)
    demos = "".join(f"{prompt(row)} {words[row['label']][0]}\n" for row in shown)
    centre, scale = own.mean(0), own.std()
    regression = LogisticRegression(max_iter=1000).fit((own - centre) / scale, y)
    # A text that has nothing to read has the label "-".
    named = lambda found: np.array([names.index(name) if name in names else -1 for name in found])
    result = {
        "zero-shot": by_words(h),
        "in-context learning": by_words(states([demos + prompt(row) for row in test], scratch, 1024)),
        "kNN prompting": knn_prompting(own, y, h, len(names)),
        "logistic regression": regression.predict((h - centre) / scale),
        "calibration, pinv": named(adapted(folder, template, test, scratch, "--method", "calibration",
                                           "--bases", PINV)),
        "calibration, balanced": named(adapted(folder, template, test, scratch, "--method", "calibration",
                                               "--bases-method", "balanced")),
        "calibration, head": named(adapted(folder, template, test, scratch, "--method", "calibration",
                                           "--bases-method", "head")),
        "default": named(adapted(folder, template, test, scratch)),
    }
    result = {name: float(np.mean(found == truth)) for name, found in result.items()}
    if arguments.lora_steps:
        result["LoRA"] = json.loads(subprocess.run(
            [sys.executable, pathlib.Path(__file__).with_name("lora_decoder.py"), GGUF, folder, str(arguments.texts),
             str(arguments.lora_steps), "0"], stdout=subprocess.PIPE, check=True).stdout.splitlines()[-1])["accuracy"]
    return len(train), result


folders = [f for f in sorted(arguments.folder.iterdir()) if (f / "labels.json").exists()]
if arguments.sets:
    folders = [f for f in folders if f.name in arguments.sets.split(",")]
table = {}
for folder in folders:
    with tempfile.TemporaryDirectory() as scratch:
        count, table[folder.name] = evaluate(folder, scratch)
    print(f"{folder.name}: {count} examples, {table[folder.name]}", file=sys.stderr, flush=True)
print("| method | " + " | ".join(table) + " | mean |\n" + "|---" * (len(table) + 2) + "|")
for method in next(iter(table.values())):
    found = [table[name][method] for name in table]
    print(f"| {method} | " + " | ".join(f"{a:.3f}" for a in found) + f" | {np.mean(found):.3f} |")

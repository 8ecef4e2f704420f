"""What directions of a language model do when it is steered by them, and what removing one leaves.

    Benchmarks/run directions FOLDER [--factors=-0.2,-0.1,0,0.1,0.2] [--tokens 24] [--model FILE]

Sentiment from SST-2 of FOLDER (as in fewshot.py), formality and tense from the pairs of
Benchmarks/directions. SmolLM2-135M-Instruct is steered by each factor: how continuations of neutral
beginnings are judged by an adapter on another model's vectors, from the same labelled texts; the
Kullback-Leibler divergence of the next token's probabilities after neutral texts from those of the model as
it is; and how likely the model as it is finds the continuations. Then the sentiment direction is removed
from a sentence encoder's vectors: accuracy of scikit-learn's logistic regression for sentiment, and for
questions of TREC, before and after."""
import argparse
import json
import pathlib
import subprocess
import tempfile

import numpy as np
from sklearn.linear_model import LogisticRegression

from programs import CACHE, ROOT, VDSQ, language_model

parser = argparse.ArgumentParser()
parser.add_argument("folder")
parser.add_argument("--factors", default="-0.2,-0.1,-0.05,0,0.05,0.1,0.2")
parser.add_argument("--parts", default="sentiment,formality,tense,removal")
parser.add_argument("--tokens", type=int, default=24)
parser.add_argument("--examples", type=int, default=400)
parser.add_argument("--method", default="mean")
parser.add_argument("--states", default="mean")
parser.add_argument("--layer")
parser.add_argument("--model", default=CACHE / "minilm.vdsq")
arguments = parser.parse_args()
FOLDER = pathlib.Path(arguments.folder)
LM = language_model()
BEGINNINGS = ["The new phone that I bought last week", "We went to see the film, and", "My brother called to say that",
              "The restaurant around the corner", "This book is about", "The people at the hotel", "Last night the band",
              "The weather in this town", "Our teacher told us", "The journey by train", "I think that the house",
              "When the letter came, she", "The garden behind the school", "After the meeting, everybody",
              "The story begins when", "The shop in the main street", "He looked at the picture and", "The second part of the game",
              "In the evening we", "The old bridge"]
NEUTRAL = ["The museum is open from nine to five.", "The committee has twelve members from six countries.",
           "Water boils at a lower temperature on high mountains.", "The train from the north arrives at platform two.",
           "A triangle has three sides and three corners.", "The library lends books for four weeks.",
           "The river flows through three cities before it reaches the sea.", "The file has a header of sixteen bytes.",
           "Bread is made of flour, water, salt and yeast.", "The second edition was printed in 1952.",
           "The road leads from the village to the lake.", "The moon moves around the earth in a month."]
DIRECTIONS = {
    "sentiment": ("positive", "negative"), "formality": ("formal", "informal"), "tense": ("past", "present"),
}


def run(command, data=""):
    return subprocess.run([VDSQ, *map(str, command)], input=data, capture_output=True, text=True, check=True).stdout


def lines(texts):
    return "".join(json.dumps({"text": t}) + "\n" for t in texts)


def examples(name, scratch):
    rows = [json.loads(x) for x in open(ROOT / f"Benchmarks/directions/{name}.jsonl")] if name != "sentiment" else \
        [json.loads(x) for x in open(FOLDER / "sst2/train.jsonl")][:arguments.examples]
    path = pathlib.Path(scratch) / f"{name}.jsonl"
    path.write_text("".join(json.dumps(x) + "\n" for x in rows))
    return path


def logits(texts, options, scratch):
    path = pathlib.Path(scratch) / "scores.npy"
    run(["logits", LM, "--entangled", "--field", "text", "--scores-out", path, "--force", "-q", *options], lines(texts))
    x = np.load(path).astype(np.float64)
    x -= x.max(1, keepdims=True)
    return x - np.log(np.exp(x).sum(1, keepdims=True))


def generated(options):
    out = run(["generate", LM, "--field", "text", "--json", "--max-tokens", arguments.tokens, "--temperature", 0.8,
               "--top-p", 0.95, "--seed", 1, "-q", *options], lines(BEGINNINGS))
    return [json.loads(x)["text"] for x in out.splitlines()]


def perplexity(texts):
    out = run(["score", LM, "--field", "text", "--totals", "--json", "-q"], lines(texts))
    return json.loads(out)["perplexity"]


parts = arguments.parts.split(",")
factors = [float(f) for f in arguments.factors.split(",")]
with tempfile.TemporaryDirectory() as scratch:
    for name in (n for n in DIRECTIONS if n in parts):
        toward, away = DIRECTIONS[name]
        path = examples(name, scratch)
        file = pathlib.Path(scratch) / f"{name}.vdsd"
        report = json.loads(run(["direction", LM, path, "--toward", toward, "--method", arguments.method, "--tokens",
                                 arguments.states, "-o", file, "--json", "-q",
                                 *(["--layer", arguments.layer] if arguments.layer else [])]))
        judge = pathlib.Path(scratch) / f"{name}.vdsa"
        run(["adapt", arguments.model, path, "-o", judge, "--method", "frozen", "-q"])
        area = report["auc"]
        best = report["layer"]
        words = ", ".join(x["token"].strip() for x in report["directions"][0]["toward"][:6])
        others = ", ".join(x["token"].strip() for x in report["directions"][0]["away"][:6])
        print(f"**{name}**: {report['texts']} texts, layer {best}, held-out AUC {area[best]:.3f} "
              f"(embeddings {area[0]:.3f}); toward {toward}: {words}; away: {others}\n")
        print(f"| factor | judged {toward} | log-odds of the judge | KL after neutral texts | perplexity | a continuation |")
        print("|---|---|---|---|---|---|")
        plain = logits(NEUTRAL, [], scratch)
        for factor in factors:
            steer = ["--steer", f"{file}={factor}"] if factor else []
            steered = logits(NEUTRAL, steer, scratch)
            divergence = float((np.exp(plain) * (plain - steered)).sum(1).mean())
            texts = generated(steer)
            whole = [b + t for b, t in zip(BEGINNINGS, texts)]
            judged = [json.loads(x) for x in run(
                ["classify", arguments.model, "--adapter", judge, "--field", "text", "--json", "--top", 2, "-q"],
                lines(whole)).splitlines()]
            odds = []
            for answer in judged:
                p = {x["label"]: x["probability"] for x in answer["top"]}
                odds.append(np.log(max(p[toward], 1e-6) / max(p[away], 1e-6)))
            shown = " ".join(texts[1].split())[:70].replace("|", "/")
            print(f"| {factor:+.2f} | {np.mean(np.array(odds) > 0):.2f} | {np.mean(odds):+.2f} | {divergence:.3f} "
                  f"| {perplexity(whole):.1f} | {shown} |", flush=True)
        print()
    if "removal" not in parts:
        raise SystemExit
    print("**Removal** from the vectors of the sentence encoder\n")
    print("| vectors | sentiment (SST-2) | questions (TREC) |\n|---|---|---|")
    sets = {s: {p: [json.loads(x) for x in open(FOLDER / s / f"{p}.jsonl")] for p in ("train", "test")}
            for s in ("sst2", "trec")}
    whole = pathlib.Path(scratch) / "all.jsonl"
    whole.write_text("".join(json.dumps(x) + "\n" for x in sets["sst2"]["train"]))
    options = {"as they are": []}
    for method in ("mean", "lda"):
        file = pathlib.Path(scratch) / f"remove-{method}.vdsd"
        run(["direction", arguments.model, whole, "--method", method, "-o", file, "-q"])
        options[f"without `{method}`"] = ["--without", file]
    for title, option in options.items():
        accuracies = []
        for s in sets.values():
            x = {}
            for part, rows in s.items():
                path = pathlib.Path(scratch) / "v.npy"
                run(["embed", arguments.model, "--field", "text", "-o", path, "--force", "-q", *option],
                    lines([r["text"] for r in rows]))
                x[part] = np.load(path)
            y = {p: [r["label"] for r in rows] for p, rows in s.items()}
            head = LogisticRegression(max_iter=2000, C=10).fit(x["train"], y["train"])
            accuracies.append(head.score(x["test"], y["test"]))
        print(f"| {title} | " + " | ".join(f"{a:.3f}" for a in accuracies) + " |", flush=True)

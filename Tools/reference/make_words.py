#!/usr/bin/env python3
"""Writes Tests/Fixtures/words.json: words that are chosen for labels by the formulas of docs/few-shot.md
("A classifier in words"), in numpy, over random unit vectors. Needs: pip install numpy."""
import json
import pathlib

import numpy as np

ROOT = pathlib.Path(__file__).parents[2] / "Tests/Fixtures"
LABELS, WORDS, D, N, ROUNDS = 3, 24, 6, 60, 3
TEMPERATURES = [0.02, 0.03, 0.05, 0.07, 0.1, 0.15]
rng = np.random.default_rng(11)


def unit(x):
    return x / np.linalg.norm(x, axis=-1, keepdims=True)


targets = rng.integers(0, LABELS, N)
centres = unit(rng.normal(size=(LABELS, D)))
states = unit(centres[targets] + 0.6 * rng.normal(size=(N, D)))
words = unit(rng.normal(size=(WORDS, D)) + 0.8 * centres[np.arange(WORDS) % LABELS])
cosines, gram = (states @ words.T).round(6), (words @ words.T).round(6)
proposing, accepting = np.arange(0, N, 2), np.arange(1, N, 2)
candidates = [np.argsort(-(words @ centre))[:8].tolist() for centre in centres]
chosen = [[] for _ in range(LABELS)]
scores = np.zeros((N, LABELS))
temperature = 0.05


def likelihood(scores, members, t):
    z = scores[members] / t
    return float((z[np.arange(len(members)), targets[members]] - np.log(np.exp(z).sum(1))).sum())


def extended(label, own):
    new = scores.copy()
    new[:, label] = cosines[:, own].sum(1) / np.sqrt(gram[np.ix_(own, own)].sum())
    return new


for round_ in range(ROUNDS):
    for label in range(LABELS):
        taken = {w for own in chosen for w in own}
        best, most = None, -np.inf if round_ == 0 else likelihood(scores, proposing, temperature)
        for word in candidates[label]:
            if word not in taken:
                value = likelihood(extended(label, chosen[label] + [word]), proposing, temperature)
                if value > most:
                    best, most = word, value
        if best is None:
            continue
        new = extended(label, chosen[label] + [best])
        if round_ == 0 or likelihood(new, accepting, temperature) > likelihood(scores, accepting, temperature):
            chosen[label].append(best)
            scores = new
    temperature = max(TEMPERATURES, key=lambda t: likelihood(scores, proposing, t))
(ROOT / "words.json").write_text(json.dumps({
    "labels": LABELS, "rounds": ROUNDS, "targets": targets.tolist(), "cosines": cosines.flatten().tolist(),
    "gram": gram.flatten().tolist(), "candidates": candidates, "chosen": chosen,
    "temperature": temperature}) + "\n")

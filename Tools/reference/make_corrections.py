#!/usr/bin/env python3
"""Writes Tests/Fixtures/corrections.json: weights of a linear head behind examples that are learned
one by one, by the formulas of docs/few-shot.md ("Online learning") in float64, with the covariance
as the inverse of the precision. Needs: pip install numpy."""
import json
import pathlib

import numpy as np

PATH = pathlib.Path(__file__).parents[2] / "Tests/Fixtures/corrections.json"
LABELS, COLUMNS, DIMENSIONS, EXAMPLES = 3, 6, 8, 20
VARIANCE, MEAN_COUNT = 0.25, 3

rng = np.random.default_rng(11)
weights = rng.normal(size=(LABELS, DIMENSIONS)).round(3)
bias = rng.normal(size=LABELS).round(3)
states = (0.5 + rng.normal(size=(EXAMPLES, DIMENSIONS))).round(3)
targets = rng.integers(LABELS, size=EXAMPLES)


def softmax(z):
    e = np.exp(z - z.max())
    return e / e.sum()


def learn(w, b):
    square = (states[0, :COLUMNS] ** 2).sum()
    precision = np.eye(COLUMNS) * square / VARIANCE
    for count, (state, target) in enumerate(zip(states, targets), 1):
        x = state[:COLUMNS]
        mean = states[:count, :COLUMNS].sum(0) / (count + MEAN_COUNT)
        centred = x - mean
        gain = np.linalg.solve(precision, centred)
        spread = centred @ gain
        before = softmax(w @ state + b)
        for k in range(LABELS):
            step = ((k == target) - before[k]) / (1 + before[k] * (1 - before[k]) * spread)
            w[k, :COLUMNS] += step * gain
            b[k] -= step * gain @ mean
        after = softmax(w @ state + b)
        curvature = max((1 - (p**2).sum()) / 2 for p in (before, after))
        precision += curvature * np.outer(centred, centred)
    return w, b


w, b = learn(weights.copy(), bias.copy())
PATH.write_text(json.dumps({
    "weights": weights.ravel().tolist(), "bias": bias.tolist(), "columns": COLUMNS,
    "states": states.tolist(), "targets": targets.tolist(),
    "learned": {"weights": w.ravel().tolist(), "bias": b.tolist()},
}, separators=(",", ":")) + "\n")

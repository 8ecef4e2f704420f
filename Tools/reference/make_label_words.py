#!/usr/bin/env python3
"""Writes Tests/Fixtures/label-words.json: maximum-a-posteriori logistic regression over a language
model's states with label words as prior, solved by scipy's L-BFGS in float64 from the formulas of
docs/few-shot.md ("Language models"). Needs: pip install numpy scipy."""
import json
import pathlib

import numpy as np
from scipy.optimize import minimize

PATH = pathlib.Path(__file__).parents[2] / "Tests/Fixtures/label-words.json"
LABELS, DIMENSIONS, EXAMPLES = 3, 6, 12
BIAS_VARIANCE, REFERENCE_COUNT, REFERENCE_SHARE = 0.3, 4, 0.75

rng = np.random.default_rng(7)
words = rng.normal(size=(LABELS, DIMENSIONS)).round(3)
targets = np.arange(EXAMPLES) % LABELS
states = (3 + 2 * words[targets] + rng.normal(size=(EXAMPLES, DIMENSIONS))).round(3)
reference = (3 + rng.normal(size=DIMENSIONS)).round(3)


def softmax(z):
    e = np.exp(z - z.max(1, keepdims=True))
    return e / e.sum(1, keepdims=True)


def solve(trust, state_variance, word_variance):
    v = words - words.mean(0)
    centre = np.stack([states[targets == k].mean(0) for k in range(LABELS)]).mean(0)
    origin = (EXAMPLES * centre + REFERENCE_COUNT * REFERENCE_SHARE * reference) / (
        EXAMPLES + REFERENCE_COUNT)
    x = states - centre
    s = x @ v.T
    features = np.hstack([np.sqrt(state_variance / np.mean(x**2)) * x,
                          np.sqrt(word_variance / np.mean(s**2)) * s])
    offsets = trust * (states - origin) @ v.T
    one_hot = np.eye(LABELS)[targets]
    width = features.shape[1]

    def loss(point):
        w, b = point[:LABELS * width].reshape(LABELS, width), point[LABELS * width:]
        p = softmax(offsets + features @ w.T + b)
        error = p - one_hot
        value = -np.log(p[np.arange(EXAMPLES), targets]).sum() + (w**2).sum() / 2
        value += (b**2).sum() / (2 * BIAS_VARIANCE)
        return value, np.concatenate([(error.T @ features + w).ravel(),
                                      error.sum(0) + b / BIAS_VARIANCE])

    found = minimize(loss, np.zeros(LABELS * (width + 1)), jac=True, method="L-BFGS-B",
                     options=dict(maxiter=10000, ftol=1e-15, gtol=1e-10))
    w, b = found.x[:LABELS * width].reshape(LABELS, width), found.x[LABELS * width:]
    return softmax(offsets + features @ w.T + b)


candidates = [dict(trust=t, state=c, words=w, probabilities=solve(t, c, w).round(6).tolist())
              for t, c, w in [(0, 0.1, 0.1), (0.25, 1e-2, 1), (1, 1e-4, 0.1)]]
PATH.write_text(json.dumps(dict(words=words.tolist(), states=states.tolist(),
                                targets=targets.tolist(), reference=reference.tolist(),
                                candidates=candidates)) + "\n")
print(PATH.name, PATH.stat().st_size)

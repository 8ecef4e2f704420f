#!/usr/bin/env python3
"""Writes Tests/Fixtures/categories.json: regions of categories by the formulas of docs/categories.md in
float64. Distances to convex hulls are by non-negative least squares: for P = X - q, the minimum over
u >= 0 of |P^T u|^2 + (1 - sum u)^2 is at a multiple of the weights of the point of the hull that is
closest to q (Lawson and Hanson 1974, ch. 23). Needs: pip install numpy scipy."""
import json
import pathlib

import numpy as np
from scipy.optimize import nnls

ROOT = pathlib.Path(__file__).parents[2] / "Tests/Fixtures"
LABELS = ["net/mail", "net/web", "games", "text"]
rng = np.random.default_rng(3)
targets = np.array([0] * 14 + [1] * 12 + [2] * 20 + [3] * 9)[rng.permutation(55)]
centres = rng.normal(size=(4, 10)) * 0.7 + 2
centres[1] = centres[0] + 0.4 * rng.normal(size=10)
states = (centres[targets] + 0.6 * rng.normal(size=(55, 10)) * [[1.5] * 3 + [1] * 4 + [0.5] * 3]).round(4)
targets[[5, 30]] = targets[[30, 5]]

members = {name: np.where(targets == i)[0] for i, name in enumerate(LABELS)}
members["net"] = np.sort(np.concatenate([members["net/mail"], members["net/web"]]))


def hull(q, x):
    p = (x - q).T
    u, _ = nnls(np.vstack([p, np.ones(len(x))]), np.append(np.zeros(len(q)), 1), maxiter=10000)
    return float(np.linalg.norm(p @ (u / u.sum())))


categories = {}
for name, own in members.items():
    centre = states[own].mean(0)
    distance = np.linalg.norm(states - centre, axis=1)
    # A member is compared with the centre of the others.
    for i in own:
        distance[i] = np.linalg.norm(states[i] - states[own[own != i]].mean(0))
    outside = np.setdiff1d(np.arange(len(states)), own)
    median = float(np.median(distance[outside]))
    rules = {}
    for rule, radius in (("max", distance[own].max()), ("q90", np.quantile(distance[own], 0.9)),
                         ("mean", distance[own].mean())):
        k = np.log(2) / max(median - radius, 0.05 * radius)
        rules[rule] = {"radius": float(radius), "decay": float(k),
                       "probabilities": np.minimum(100, 100 * np.exp(-k * (distance - radius))).tolist()}
    categories[name] = {
        "members": own.tolist(), "median": median, "distances": distance.tolist(), "rules": rules,
        "hull": [hull(x, states[own[own != i]]) for i, x in enumerate(states)]}
centred = states - states.mean(0)
_, s, axes = np.linalg.svd(centred, full_matrices=False)
axes = axes[:2] * np.sign(axes[np.arange(2), np.abs(axes[:2]).argmax(1)])[:, None]
square = ((states[:, None] - states[None]) ** 2).sum(2)
np.fill_diagonal(square, np.inf)


def rounded(x):
    if isinstance(x, dict):
        return {k: rounded(v) for k, v in x.items()}
    return [rounded(v) for v in x] if isinstance(x, list) else float(f"{x:.7g}") if isinstance(x, float) else x


json.dump(rounded({
    "labels": LABELS, "targets": targets.tolist(), "states": states.flatten().tolist(), "dimensions": 10,
    "categories": categories, "shares": (s[:2] ** 2 / (s**2).sum()).tolist(),
    "points": (centred @ axes.T).flatten().tolist(),
    "nearest": np.argsort(square, axis=1)[:, :5].tolist()}), open(ROOT / "categories.json", "w"))

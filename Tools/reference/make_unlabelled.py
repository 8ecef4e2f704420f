"""Writes Tests/Fixtures/unlabelled.json: label words and texts without labels, by expectation-maximisation in
float64 (numpy), from the formulas of docs/few-shot.md, "Texts without labels". SemiSupervisedDiscriminant computes
the same in Swift."""
import json
import pathlib

import numpy as np

OUTPUT = pathlib.Path(__file__).parents[2] / "Tests/Fixtures/unlabelled.json"
LABELS, D, TEXTS, ROUNDS, WEIGHT, PRIOR, SHRINKAGE, CENTRE = 3, 8, 240, 4, 0.3, 16, 1024, 4

rng = np.random.default_rng(5)
anchors = rng.normal(size=(LABELS, D))
anchors = np.round(anchors / np.linalg.norm(anchors, axis=1, keepdims=True), 4)
truth = np.arange(TEXTS) % LABELS
# Classes lie near their words, but not at them.
classes = anchors + 0.5 * rng.normal(size=(LABELS, D))
texts = np.round(0.6 * classes[truth] + rng.normal(size=D) * 0.2 + 0.3 * rng.normal(size=(TEXTS, D)), 4)


def softmax(z):
    e = np.exp(z - z.max(1, keepdims=True))
    return e / e.sum(1, keepdims=True)


mean = texts.mean(0)
u = texts - mean
prior = anchors - anchors.mean(0)
prior *= 0.5 * np.sqrt((u**2).sum(1).mean() / (prior**2).sum(1).mean())
variance = (u**2).sum(1).mean() / D
shares = softmax((u @ prior.T - (prior**2).sum(1) / 2) / variance)
for _ in range(ROUNDS):
    n, sums = WEIGHT * shares.sum(0), WEIGHT * shares.T @ u
    weights = 1 / (1 / PRIOR + 1 / n)
    centre = (weights[:, None] * (sums / n[:, None] - prior)).sum(0) / (CENTRE + weights.sum())
    means = (PRIOR * prior + sums - n[:, None] * centre) / (PRIOR + n)[:, None]
    covariance = np.zeros((D, D))
    for k in range(LABELS):
        deviations = u - centre - means[k]
        covariance += WEIGHT * (shares[:, k, None] * deviations).T @ deviations
    covariance /= n.sum()
    shrinkage = SHRINKAGE / (SHRINKAGE + int(n.sum()))
    covariance = (1 - shrinkage) * covariance + shrinkage * np.trace(covariance) / D * np.eye(D)
    head = np.linalg.solve(covariance, means.T).T
    bias = -(means * head).sum(1) / 2 - head @ centre
    shares = softmax(u @ head.T + bias)
found = shares.argmax(1)
before = (texts @ anchors.T).argmax(1)
print("right before", (before == truth).mean(), "after", (found == truth).mean())
order = (u @ head.T + bias)
order = order - order.mean(1, keepdims=True)
OUTPUT.write_text(json.dumps({
    "anchors": anchors.tolist(), "texts": texts.tolist(), "truth": truth.tolist(),
    # Up to a common factor, which makes them as confident as cosines.
    "logits": np.round(order / np.sqrt((order**2).mean()), 5).tolist()}, separators=(",", ":")) + "\n")

"""Writes Tests/Fixtures/anchor-reliability.json: how far examples bear out label words, by numerical integration
in float64 (numpy). docs/few-shot.md, "Label words that mislead", has the formulas; AnchorReliability computes the
same in Swift."""
import json
import pathlib

import numpy as np

OUTPUT = pathlib.Path(__file__).parents[2] / "Tests/Fixtures/anchor-reliability.json"
SLOPES = np.linspace(-1.2, 1.2, 961)


def density(x, mean, deviation):
    return np.exp(-((x - mean) / deviation) ** 2 / 2) / deviation


def trust(states, targets, anchors):
    count, d = anchors.shape
    n = np.bincount(targets, minlength=count)
    seen = n > 0
    means = np.stack([states[targets == k].mean(0) if n[k] else np.zeros(d) for k in range(count)])
    deviations = means - means[seen].mean(0)
    total = ((states - states.mean(0)) ** 2).sum() / (len(states) - 1)
    within = ((states - means[targets]) ** 2).sum()
    variance = 2.5 * (within + 4 * total) / (len(states) - seen.sum() + 4) / d
    products, squares = (anchors * deviations).sum(1) * seen, (anchors**2).sum(1) * seen
    slope = products.sum() / squares.sum()
    deviation = np.sqrt(variance * (squares[seen] / n[seen]).sum()) / squares.sum()
    single = n.max() == 1
    likelihood = density(slope, SLOPES, deviation)
    components = [
        np.where(SLOPES >= -1e-9, np.exp(-SLOPES / 0.2), 0), density(SLOPES, 0, 0.03),
        np.where(SLOPES < -1e-9, np.exp(SLOPES * (count - 1) / 0.2), 0)]
    shares = [0.85, 0.1, 0.05]
    evidence = sum(s * (c * likelihood).sum() / c.sum() for s, c in zip(shares, components))
    counted = [0, 2] if count == 2 and not single else [0]
    expected = sum(shares[i] * (components[i] * likelihood * SLOPES).sum() / components[i].sum()
                   for i in counted) / evidence
    common = np.clip(expected / (0.05 if single else 0.07), -1, 1)
    result = np.full(count, common)
    if count > 2 and not single and common > 0:
        for k in np.where(seen)[0]:
            own, spread = min(products[k] / squares[k], expected), np.sqrt(variance / n[k] / squares[k])
            right = 0.95 * density(own, expected, np.hypot(spread, expected))
            wrong = 0.05 * density(own, 0, np.hypot(spread, 0.03))
            result[k] *= right / (right + wrong)
    return result


def case(name, seed, labels, shots, along, noise, wrong=None, d=48):
    """States about `along` times their label's anchor; the label `wrong` has another direction instead."""
    rng = np.random.default_rng(seed)
    anchors = rng.normal(size=(labels, d))
    anchors = 0.5 * (anchors - anchors.mean(0)) / np.sqrt((anchors**2).sum(1).mean())
    centres = along * anchors
    if wrong is not None:
        centres[wrong] = rng.normal(size=d) * np.linalg.norm(centres[wrong]) / np.sqrt(d)
    targets = np.repeat(np.arange(labels), shots)
    states = rng.normal(size=d) * 0.1 + centres[targets] + noise * rng.normal(size=(len(targets), d)) / np.sqrt(d)
    states, anchors = np.round(states, 4), np.round(anchors, 4)
    return {"name": name, "anchors": anchors.tolist(), "states": states.tolist(), "targets": targets.tolist(),
            "trust": trust(states, targets, anchors).tolist()}


CASES = [
    case("right", 1, 4, 4, 0.4, 0.8), case("meaningless", 2, 4, 8, 0, 0.8), case("opposed", 3, 2, 8, -0.4, 0.5),
    case("one label wrong", 4, 4, 16, 0.5, 0.5, wrong=2), case("a little right", 5, 2, 8, 0.1, 0.7),
    case("one example", 6, 3, 1, 0.3, 0.5), case("one example, opposed", 7, 2, 1, -0.6, 0.4)]
OUTPUT.write_text(json.dumps(CASES, separators=(",", ":")) + "\n")
for c in CASES:
    print(c["name"], np.round(c["trust"], 3))

#!/usr/bin/env python3
"""Writes Tests/Fixtures/evaluation.json: scikit-learn's classification_report and confusion_matrix,
scipy's Wilson intervals and exact McNemar tests, Tango's interval for paired differences by
numerical maximisation of the likelihood, and percentiles of differences whose texts and draws are
resampled; scikit-learn's scores of texts with several labels, its sigmoid calibration, and the best
F1 of a threshold. Needs: pip install numpy scipy scikit-learn."""
import json
import pathlib

import numpy as np
from scipy.optimize import brentq, minimize_scalar
from scipy.stats import binomtest, norm
from sklearn.calibration import _sigmoid_calibration
from sklearn.metrics import (
    accuracy_score, classification_report, confusion_matrix, f1_score, precision_recall_fscore_support)

PATH = pathlib.Path(__file__).parents[2] / "Tests/Fixtures/evaluation.json"
LABELS = 6

rng = np.random.default_rng(3)


def scores(row):
    return [row["precision"], row["recall"], row["f1-score"]]


def report(count):
    # Label 4 has no text and label 5 is never predicted; label 3 is neither.
    targets = rng.choice([0, 1, 2, 5], p=[0.5, 0.2, 0.2, 0.1], size=count)
    predicted = np.where(rng.random(count) < 0.6, targets, rng.choice([0, 1, 2, 4], size=count))
    predicted[predicted == 5] = 4
    found = classification_report(targets, predicted, output_dict=True, zero_division=0)
    return {
        "targets": targets.tolist(), "predicted": predicted.tolist(),
        "confusion": confusion_matrix(targets, predicted, labels=range(LABELS)).ravel().tolist(),
        "labels": [scores(found[str(k)]) if str(k) in found else None for k in range(LABELS)],
        "support": [int((targets == k).sum()) for k in range(LABELS)],
        "macro": scores(found["macro avg"]), "weighted": scores(found["weighted avg"]),
        "accuracy": found["accuracy"],
    }


def wilson(right, count):
    interval = binomtest(right, count).proportion_ci(method="wilson")
    return {"right": right, "count": count, "interval": [interval.low, interval.high]}


def likelihood(first, second, count, difference, share):
    """The log-likelihood if the second alone counts with probability `share`."""
    parts = [(first, share + difference), (second, share),
             (count - first - second, 1 - 2 * share - difference)]
    return sum(n * np.log(p) if n else 0.0 for n, p in parts if n or p >= 0)


def tango(first, second, count):
    def score(difference):
        low, high = max(0.0, -difference), (1 - difference) / 2
        share = minimize_scalar(
            lambda q: -likelihood(first, second, count, difference, q),
            bounds=(low + 1e-15, high - 1e-15), method="bounded",
            options={"xatol": 1e-14}).x
        variance = count * (2 * share + difference - difference**2)
        return (first - second - count * difference) / np.sqrt(variance)

    z, middle, edge = norm.ppf(0.975), (first - second) / count, 1 - 1e-9
    return [brentq(lambda d: score(d) - z, -edge, middle - 1e-9),
            brentq(lambda d: score(d) + z, middle + 1e-9, edge)]


def paired(first, second, count):
    both = first + second
    return {
        "first": first, "second": second, "count": count,
        "interval": tango(first, second, count),
        "p": binomtest(first, both).pvalue if both else 1.0,
    }


def resampled(texts, draws):
    """Whether two classifiers are right, [draws, texts], and the interval of the difference."""
    hardness = rng.random(texts)
    first, second = ((rng.random((draws, texts)) + shift > hardness).astype(int)
                     for shift in (0.2, 0.1))
    gaps = first - second
    means = [gaps[rng.integers(draws, size=draws)][:, rng.integers(texts, size=texts)].mean()
             for _ in range(50000)]
    return {"first": first.tolist(), "second": second.tolist(),
            "difference": gaps.mean(), "interval": np.quantile(means, [0.025, 0.975]).tolist()}


def several(count, labels):
    has = rng.random((count, labels)) < np.linspace(0.4, 0.05, labels)
    given = np.where(rng.random((count, labels)) < 0.8, has, rng.random((count, labels)) < 0.2)
    given[:, -1] = has[:, -1] = False
    means = {key: np.array(precision_recall_fscore_support(
        has, given, average=key, zero_division=0)[:3]).tolist()
        for key in ["micro", "macro", "weighted"]}
    return {"has": has.T.tolist(), "given": given.T.tolist(), "exact": accuracy_score(has, given),
            "labels": np.array(precision_recall_fscore_support(
                has, given, zero_division=0)[:3]).T.tolist(), **means}


def calibrated(count, gap):
    has = rng.random(count) < 0.3
    scores = np.round(rng.normal(size=count) + gap * has - 1, 3)
    a, b = _sigmoid_calibration(scores, has)
    probabilities = 1 / (1 + np.exp(a * scores + b))
    best = max(f1_score(has, probabilities >= t) for t in probabilities)
    return {"scores": scores.tolist(), "has": has.tolist(), "slope": -a, "offset": -b, "f1": best}


PATH.write_text(json.dumps({
    "reports": [report(40), report(200)],
    "shares": [wilson(*pair) for pair in [(0, 1), (1, 1), (0, 20), (20, 20), (7, 20), (997, 1000)]],
    "pairs": [paired(*triple) for triple in [
        (4, 1, 20), (10, 3, 50), (1, 12, 40), (60, 30, 1000), (5, 5, 30), (3, 0, 12)]],
    "resampled": resampled(60, 4),
    "several": several(40, 5),
    "calibrated": [calibrated(60, 2), calibrated(25, 0.3), calibrated(30, 9)],
}, separators=(",", ":")) + "\n")

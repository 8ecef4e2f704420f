#!/usr/bin/env python3
"""Writes Tests/Fixtures/bases: LM heads and numpy's float64 pseudoinverses of them, rows scaled to length
1, and balanced bases of one of them. Needs: pip install numpy."""
import json
import pathlib

import numpy as np

ROOT = pathlib.Path(__file__).parents[2] / "Tests/Fixtures/bases"
ROOT.mkdir(parents=True, exist_ok=True)
rng = np.random.default_rng(7)
U, _, V = np.linalg.svd(rng.normal(size=(300, 24)), full_matrices=False)


def save(name, head, rcond=None):
    np.save(ROOT / f"{name}.npy", np.ascontiguousarray(head))
    exact = np.load(ROOT / f"{name}.npy").astype(np.float64)
    bases = np.linalg.pinv(exact, **({"rcond": rcond} if rcond else {})).T
    norms = np.linalg.norm(bases, axis=1, keepdims=True)
    unit = (bases / np.where(norms > 0, norms, 1)).astype(np.float32)
    np.save(ROOT / f"{name}.golden.npy", np.ascontiguousarray(unit))


save("full", (U * np.linspace(3, 1, 24) @ V).astype(np.float32))
save("ill", U * np.geomspace(1, 1e-6, 24) @ V)
values = np.linspace(3, 1, 24)
values[17:] = 0
save("deficient", U * values @ V, rcond=1e-11)
states = rng.normal(size=(64, 24)).astype(np.float32)
np.save(ROOT / "states.npy", states)


def balanced(head, states, bias, ridge=1.0, share=0.5):
    """The common vector, the lengths and the temperature of docs/vocabulary-semantics.md ("Balanced
    bases")."""
    logits = states @ head.T + bias
    p = np.exp(logits - logits.max(1, keepdims=True))
    p /= p.sum(1, keepdims=True)
    q = share * p.mean(0) + (1 - share) / len(head)
    square = (head**2).sum(1)
    mean = q @ head
    centred = head - mean
    moments = (centred * q[:, None]).T @ centred
    inverse = np.linalg.inv(moments + ridge * np.trace(moments) / head.shape[1] * np.eye(head.shape[1]))
    free = inverse @ (-0.5 * (centred * q[:, None]).T @ (square - q @ square))
    state = states.mean(0)
    along = inverse @ state
    common = free - along * (state @ free + state @ mean) / (state @ along)
    lengths = np.linalg.norm(head + common, axis=1)
    cosines = states @ (head + common).T / lengths / np.linalg.norm(states, axis=1, keepdims=True)
    usual = 1 / (np.linalg.norm(states, axis=1).mean() * (q @ lengths))

    def divergence(t):
        z = cosines / t
        largest = z.max(1, keepdims=True)
        return (np.log(np.exp(z - largest).sum(1)) + largest[:, 0] - (p * z).sum(1)).sum()

    factors = [0.7, 0.8, 0.9, 1, 1.1, 1.2, 1.35, 1.5]
    return dict(common=common.tolist(), lengths=lengths.tolist(),
                temperature=min((f * usual for f in factors), key=divergence))


head = np.load(ROOT / "full.npy").astype(np.float64) * 8 + 0.1
states = np.load(ROOT / "states.npy").astype(np.float64) * 2 + 1
bias = rng.normal(size=len(head))
(ROOT / "balanced.json").write_text(json.dumps(
    {"bias": bias.round(3).tolist(), **balanced(head, states, bias.round(3))}) + "\n")

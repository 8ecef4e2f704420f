#!/usr/bin/env python3
"""Writes Tests/Fixtures/bases: LM heads and numpy's float64 pseudoinverses of them, rows scaled to length
1. Needs: pip install numpy."""
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

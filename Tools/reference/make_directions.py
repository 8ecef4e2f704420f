#!/usr/bin/env python3
"""Writes Tests/Fixtures/directions.json by the formulas of docs/directions.md: directions between two
sets of random states (numpy, float64), held-out areas under the ROC curve (scikit-learn), and for the
tiny llama model states from which directions are removed behind each layer, and the right singular
vectors of the Jacobian with respect to what is added behind a layer (torch's autograd). Needs: pip
install numpy scikit-learn torch transformers."""
import json
import pathlib

import numpy as np
import torch
import transformers
from sklearn.metrics import roc_auc_score

ROOT = pathlib.Path(__file__).parents[2] / "Tests/Fixtures"
rng = np.random.default_rng(4)
D, N = 8, 46
positive = np.arange(N) % 2 == 0
scale = np.linspace(0.3, 2, D)
states = ((rng.normal(size=(N, D)) + 0.5 * positive[:, None]) * scale + 1).round(4)


def unit(v):
    return v / np.linalg.norm(v)


def direction(x, y, method):
    means = [x[y].mean(0), x[~y].mean(0)]
    difference = means[0] - means[1]
    if method == "mean":
        return unit(difference)
    centred = np.where(y[:, None], x - means[0], x - means[1])
    covariance = centred.T @ centred / len(x)
    share = 512 / (512 + len(x))
    covariance = (1 - share) * covariance + share * np.trace(covariance) / D * np.eye(D)
    return unit(np.linalg.solve(covariance, difference))


def area(method):
    fold = np.where(positive, np.cumsum(positive) - 1, np.cumsum(~positive) - 1) % 4
    return float(np.mean([roc_auc_score(
        positive[fold == k], states[fold == k] @ direction(states[fold != k], positive[fold != k], method))
        for k in range(4)]))


model = transformers.AutoModelForCausalLM.from_pretrained(ROOT / "language-models/llama").double().eval()
tokenizer = transformers.AutoTokenizer.from_pretrained(ROOT / "language-models/llama")
TEXTS = ["hello world", "the capital of France is", "it was not great"]


def state(text, module, change):
    """The last token's state behind the final norm, with the states of a module changed."""
    def hook(_, inputs, output):
        h = output[0] if isinstance(output, tuple) else output
        h = change(h)
        return (h, *output[1:]) if isinstance(output, tuple) else h
    handle = module.register_forward_hook(hook)
    ids = tokenizer(text, return_tensors="pt").input_ids
    out = model.model(ids).last_hidden_state[0, -1]
    handle.remove()
    return out


modules = [model.model.embed_tokens, *model.model.layers]
size = model.config.hidden_size
jacobians = []
for module in modules:
    rows = []
    for text in TEXTS:
        rows.append(torch.autograd.functional.jacobian(
            lambda a: state(text, module, lambda h: h + h.norm(dim=-1, keepdim=True) * a),
            torch.zeros(size, dtype=torch.float64)))
    _, s, v = torch.linalg.svd(torch.cat(rows), full_matrices=False)
    jacobians.append({"shares": (s[:3] ** 2 / (s**2).sum()).tolist(), "vectors": v[:3].flatten().tolist()})
removed = torch.tensor(rng.normal(size=(2, size)))
removed = removed / removed.norm(dim=-1, keepdim=True)
offsets = torch.tensor([0.05, -0.1])


def without(h):
    """The closest state whose cosines to the directions would be the offsets if its length stayed."""
    gram = removed @ removed.T
    wrong = offsets * h.norm(dim=-1, keepdim=True) - h @ removed.T
    return h + wrong @ torch.linalg.inv(gram) @ removed


with torch.no_grad():
    erased = [[state(text, module, without).tolist() for text in TEXTS] for module in modules]


def rounded(x):
    if isinstance(x, dict):
        return {k: rounded(v) for k, v in x.items()}
    return [rounded(v) for v in x] if isinstance(x, list) else float(f"{x:.7g}") if isinstance(x, float) else x


(ROOT / "directions.json").write_text(json.dumps(rounded({
    "states": states.flatten().tolist(), "dimensions": D, "positive": positive.tolist(),
    "directions": {m: direction(states, positive, m).tolist() for m in ("mean", "lda")},
    "areas": {m: area(m) for m in ("mean", "lda")},
    "texts": TEXTS, "jacobians": jacobians, "removed": removed.flatten().tolist(),
    "offsets": offsets.tolist(), "erased": erased})) + "\n")

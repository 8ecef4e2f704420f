#!/usr/bin/env python3
"""Writes Tests/Fixtures/language-models/tuned-lens.json: the translators of a tuned lens for the tiny
llama model, by numpy in float64 from the formulas of docs/vocabulary-semantics.md ("Lens"), and the
translated states of a text. Needs: pip install transformers torch numpy."""
import json
import pathlib

import numpy as np
import torch
import transformers

ROOT = pathlib.Path(__file__).parents[2] / "Tests/Fixtures/language-models"
LAMBDAS = [1e-4, 1e-3, 1e-2, 1e-1]
WORDS = "hello world the capital of France is great it was not def return".split()
TEXTS = [" ".join(WORDS[(i * j + i + j) % len(WORDS)] for j in range(4 + i % 9)) for i in range(40)]

model = transformers.AutoModelForCausalLM.from_pretrained(ROOT / "llama").float().eval()
tokenizer = transformers.AutoTokenizer.from_pretrained(ROOT / "llama")
last_layer = []
model.model.norm.register_forward_pre_hook(lambda _, inputs: last_layer.append(inputs[0]))


def states(text):
    with torch.no_grad():
        found = model(tokenizer(text, return_tensors="pt").input_ids, output_hidden_states=True)
    raw = list(found.hidden_states[:-1]) + [last_layer.pop()]  # before the final norm
    return np.stack([x[0].double().numpy() for x in raw])


def regression(x, y, weight, strength):
    mean_x, mean_y = (weight[:, None] * x).sum(0) / weight.sum(), (weight[:, None] * y).sum(0) / weight.sum()
    gram = (x - mean_x).T @ (weight[:, None] * (x - mean_x))
    gram += strength * np.trace(gram) / len(gram) * np.eye(len(gram))
    matrix = np.linalg.solve(gram, (x - mean_x).T @ (weight[:, None] * (y - mean_y)))
    return matrix, mean_y - mean_x @ matrix


every = [states(text) for text in TEXTS]
held = [i for i in range(len(TEXTS)) if i % 10 == 9]
probe = states("hello world")
layers = []
for layer in range(len(probe) - 1):
    def data(indices):
        x = np.concatenate([every[i][layer] for i in indices])
        last = np.concatenate([every[i][-1] for i in indices])
        return x, last - x, 1 / ((x**2).sum(1) + (last**2).sum(1))

    x, y, w = data([i for i in range(len(TEXTS)) if i not in held])
    hx, hy, hw = data(held)
    errors = []
    for strength in LAMBDAS:
        matrix, bias = regression(x, y, w, strength)
        errors.append(float((hw * ((hy - hx @ matrix - bias) ** 2).sum(1)).sum()))
    best = int(np.argmin(errors))
    matrix, bias = regression(*data(range(len(TEXTS))), LAMBDAS[best])
    state = probe[layer]
    layers.append({"lambda": LAMBDAS[best], "before": float((hw * (hy**2).sum(1)).sum()),
                   "after": errors[best],
                   "translated": (state + state @ matrix + bias).round(5).tolist()})
(ROOT / "tuned-lens.json").write_text(json.dumps({"texts": TEXTS, "layers": layers}) + "\n")

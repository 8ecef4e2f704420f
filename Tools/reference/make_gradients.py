#!/usr/bin/env python3
"""Writes Tests/Fixtures/gradients.json: gradient differentials of tasks of minimal pairs by torch in
float64, masks and the first-order transfer matrix (docs/tasks.md), for tiny models of
Tests/Fixtures/language-models and the pairs of Tests/Fixtures/pairs.json.
Needs: pip install torch transformers tokenizers numpy scipy."""
import json
import pathlib

import numpy as np
import torch
from scipy.cluster.hierarchy import linkage
from scipy.spatial.distance import squareform
from scipy.stats import spearmanr
from tokenizers import Tokenizer
from transformers import AutoModelForCausalLM

ROOT = pathlib.Path(__file__).parents[2] / "Tests/Fixtures"
PREFIXES = {"gpt2": "<|endoftext|>", "llama": "<s>", "qwen2": "<|endoftext|>", "gpt-neox": "<|endoftext|>",
            "mistral": "<s>", "gemma": "<s>"}
MASK, STEP, SAMPLE = 0.05, 1e-3, 13


def down_weights(name, model):
    """The weights of the down projections, and whether they lie transposed."""
    if name == "gpt2":
        return [b.mlp.c_proj.weight for b in model.transformer.h], True
    if name == "gpt-neox":
        return [b.mlp.dense_4h_to_h.weight for b in model.gpt_neox.layers], False
    return [b.mlp.down_proj.weight for b in model.model.layers], False


def structure():
    """A dendrogram, a map and a rank correlation of random numbers."""
    rng = np.random.default_rng(5)
    vectors = rng.normal(size=(7, 4))
    distances = np.sqrt(((vectors[:, None] - vectors[None]) ** 2).sum(-1))
    centring = np.eye(7) - 1 / 7
    values, axes = np.linalg.eigh(centring @ (-0.5 * distances ** 2) @ centring)
    points = axes[:, [-1, -2]] * np.sqrt(values[[-1, -2]])
    points *= np.sign(points[np.abs(points).argmax(0), [0, 1]])
    x, y = rng.integers(0, 6, size=12), rng.normal(size=12)
    return {"distances": distances.tolist(),
            "heights": linkage(squareform(distances, checks=False), "average")[:, 2].tolist(),
            "points": points.tolist(), "share": float(values[[-1, -2]].sum() / values[values > 0].sum()),
            "x": x.tolist(), "y": y.tolist(), "spearman": float(spearmanr(x, y).statistic)}


def main():
    pairs = json.loads((ROOT / "pairs.json").read_text())["pairs"]
    tasks = list(dict.fromkeys(p["task"] for p in pairs))
    golden = {"mask": MASK, "step": STEP, "sample": SAMPLE, "tasks": tasks, "models": {},
              "structure": structure()}
    for name, prefix in PREFIXES.items():
        folder = ROOT / "language-models" / name
        model = AutoModelForCausalLM.from_pretrained(
            folder, dtype=torch.float64, attn_implementation="eager").eval()
        tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        bos = tokenizer.token_to_id(prefix)
        weights, transposed = down_weights(name, model)

        def loss(text):
            ids = torch.tensor([[bos] + tokenizer.encode(text, add_special_tokens=False).ids])
            logprobs = torch.log_softmax(model(ids).logits[0, :-1], -1)
            return -logprobs.gather(1, ids[0, 1:, None]).sum()

        gradients = []
        for task in tasks:
            own = [p for p in pairs if p["task"] == task]
            total = sum(loss(p["good"]) - loss(p["bad"]) for p in own) / len(own)
            found = torch.autograd.grad(total, weights)
            gradients.append(np.concatenate(
                [(g.T if transposed else g).detach().numpy().ravel() for g in found]))
        norm = np.sqrt(sum(float((w ** 2).sum()) for w in weights))
        count = round(MASK * len(gradients[0]))
        masks = [np.argsort(-np.abs(g), kind="stable")[:count] for g in gradients]
        transfer = [[-STEP * norm / np.linalg.norm(a[m]) * float(a[m] @ b[m]) for b in gradients]
                    for a, m in zip(gradients, masks)]
        golden["models"][name] = {
            "weight_norm": norm, "norms": [float(np.linalg.norm(g)) for g in gradients],
            "masked_norms": [float(np.linalg.norm(g[m])) for g, m in zip(gradients, masks)],
            "samples": [[float(f"{v:.7g}") for v in g[::SAMPLE]] for g in gradients],
            "transfer": transfer}
    path = ROOT / "gradients.json"
    path.write_text(json.dumps(golden) + "\n")
    print(path.stat().st_size)


main()

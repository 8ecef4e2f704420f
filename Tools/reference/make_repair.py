#!/usr/bin/env python3
"""Writes Tests/Fixtures/repair.json: one round of repair (docs/repair.md) in float64 by torch and numpy,
for tiny models of Tests/Fixtures/language-models: the differences to the rivals, the chosen neurons and
the changes of their vectors. Needs: pip install torch transformers tokenizers numpy."""
import json
import pathlib

import numpy as np
import torch
from tokenizers import Tokenizer
from transformers import AutoModelForCausalLM

ROOT = pathlib.Path(__file__).parents[2] / "Tests/Fixtures"
PREFIXES = {"gpt2": "<|endoftext|>", "llama": "<s>", "qwen2": "<|endoftext|>"}
FIXES = [("The capital of France is", " hello"), ("hello world", " It was"), ("def f(x):", " return")]
KEEP = ["It was great. It was great.", "naïve Café", "x ** 2  # 1234567", "The capital of hello world"]
MARGIN, NEURONS = 1.0, 12
CASES = [{"layers": [1], "ridge": 0.0, "keep": False}, {"layers": [0, 1], "ridge": 0.01, "keep": False},
         {"layers": [0, 1], "ridge": 0.01, "keep": True}]


class Reader:
    """States before the final norm and inputs of down projections, by hooks."""

    def __init__(self, name):
        folder = ROOT / "language-models" / name
        self.model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float64).eval()
        self.tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        base = self.model.transformer if name == "gpt2" else self.model.model
        self.norm = base.ln_f if name == "gpt2" else base.norm
        blocks = base.h if name == "gpt2" else base.layers
        downs = [b.mlp.c_proj if name == "gpt2" else b.mlp.down_proj for b in blocks]
        self.seen = {}
        self.norm.register_forward_pre_hook(lambda m, x: self.seen.update(state=x[0][0]))
        for i, down in enumerate(downs):
            down.register_forward_pre_hook(lambda m, x, i=i: self.seen.update({i: x[0][0]}))
        self.gain = self.norm.weight.detach().numpy()
        self.bias = getattr(self.norm, "bias", None)
        self.bias = None if self.bias is None else self.bias.detach().numpy()
        self.epsilon = self.norm.eps if self.bias is not None else self.norm.variance_epsilon
        self.head = self.model.get_output_embeddings().weight.detach().numpy()

    def encode(self, text):
        return self.tokenizer.encode(text, add_special_tokens=True).ids

    def read(self, ids):
        with torch.no_grad():
            logits = self.model(torch.tensor([ids])).logits[0].numpy()
        return logits, {k: v.detach().numpy() for k, v in self.seen.items()}


def centred(rows, reader):
    rows = rows * reader.gain
    return rows - rows.mean(-1, keepdims=True) if reader.bias is not None else rows


def round_of(reader, case):
    layers, count = case["layers"], len(case["layers"])
    rows = centred(reader.head, reader)
    metric = rows.T @ rows
    metric += np.eye(len(metric)) * np.trace(metric) / len(metric) * 1e-6
    keys, shifts, gaps = {i: [] for i in layers}, [], []
    for prompt, answer in FIXES:
        before, both = reader.encode(prompt), reader.encode(prompt + answer)
        own = both[len(before):]
        ids = before + own[:-1]
        logits, seen = reader.read(ids)
        for row, token in zip(range(len(ids) - len(own), len(ids)), own):
            order = np.argsort(-logits[row], kind="stable")
            rival = next(int(v) for v in order if v != token)
            gap = logits[row, token] - logits[row, rival]
            gaps.append(gap)
            state = seen["state"][row]
            if reader.bias is not None:
                state = state - state.mean()
            divisor = np.sqrt((state ** 2).mean() + reader.epsilon)
            c = centred(reader.head[token] - reader.head[rival], reader)
            solved = np.linalg.solve(metric, c)
            direction = solved / (c @ solved)
            # The divisor is that of the state with the shift.
            product = c @ state
            rest, shift = gap - product / divisor, 0.0
            for _ in range(200):
                moved = state + shift * direction
                shift = (1.5 * MARGIN - rest) * np.sqrt((moved ** 2).mean() + reader.epsilon) - product
            shifts.append((shift / count if gap < MARGIN else 0) * direction)
            for i in layers:
                keys[i].append(seen[i][row])
    shifts = np.array(shifts)
    kept = [reader.read(reader.encode(t))[1] for t in KEEP] if case["keep"] else []
    result = []
    for i in layers:
        all_keys = np.array(keys[i])
        score = (all_keys ** 2).sum(0)
        if kept:
            others = np.concatenate([s[i] for s in kept])
            square = (others ** 2).mean(0)
            score = score / (square + square.mean())
        chosen = np.sort(np.argsort(-score)[:NEURONS])
        k = all_keys[:, chosen]
        if kept:
            m = others[:, chosen].T @ others[:, chosen] / len(others)
            m += np.eye(len(m)) * 0.1 * np.trace(m) / len(m)
        else:
            m = np.eye(len(chosen))
        z = np.linalg.solve(m, k.T).T
        system = k @ z.T
        system += np.eye(len(system)) * case["ridge"] * np.trace(system) / len(system)
        x = z.T @ np.linalg.solve(system, shifts)
        result.append({"layer": i, "neurons": chosen.tolist(),
                       "vectors": [float(f"{v:.7g}") for v in x.ravel()]})
    return {"open": int(sum(g < MARGIN for g in gaps)), "least": min(gaps), "layers": result}


def main():
    golden = {"fixes": [{"prompt": p, "answer": a} for p, a in FIXES], "keep": KEEP, "margin": MARGIN,
              "neurons": NEURONS, "cases": CASES, "models": {}}
    for name in PREFIXES:
        reader = Reader(name)
        golden["models"][name] = [round_of(reader, case) for case in CASES]
    (ROOT / "repair.json").write_text(json.dumps(golden) + "\n")


main()

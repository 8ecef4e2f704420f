#!/usr/bin/env python3
"""Writes Tests/Fixtures/language-models/continuations.json: log-probabilities, of transformers, of
tokens that follow a text. Needs: pip install transformers torch.

For each causal model, texts of its golden file, tokens that follow them as paths with common beginnings,
and for each path the log-probability of each of its tokens. For each masked model, texts with a mask, and
for each path the log-probabilities of its tokens at as many masks as it has tokens."""
import json
import pathlib

import torch
import transformers

ROOT = pathlib.Path(__file__).parents[2] / "Tests/Fixtures/language-models"
PATHS = [[40, 41], [40, 41, 42], [40, 50, 51, 52], [60, 61], [40, 50, 53]]

golden = {}
for name in ["gpt2", "llama", "mistral", "qwen3", "gpt-neox"]:
    model = transformers.AutoModelForCausalLM.from_pretrained(ROOT / name).float().eval()
    golden[name] = []
    for case in json.loads((ROOT / name / "golden.json").read_text())[:3]:
        scores = []
        for path in PATHS:
            ids = torch.tensor([case["ids"] + path])
            with torch.no_grad():
                logs = model(ids).logits[0].log_softmax(-1)
            first = len(case["ids"]) - 1
            scores.append([round(float(logs[first + i, token]), 5) for i, token in enumerate(path)])
        golden[name].append(dict(text=case["text"], scores=scores))
for name in ["bert", "electra", "roberta"]:
    model = transformers.AutoModelForMaskedLM.from_pretrained(ROOT / name).float().eval()
    tokenizer = transformers.AutoTokenizer.from_pretrained(ROOT / name)
    golden[name] = []
    for case in json.loads((ROOT / name / "golden.json").read_text())[:3]:
        mask = case["ids"].index(tokenizer.mask_token_id)
        scores = []
        for path in [[45]] + PATHS:
            ids = case["ids"][:mask] + [tokenizer.mask_token_id] * len(path) + case["ids"][mask + 1:]
            with torch.no_grad():
                logs = model(torch.tensor([ids])).logits[0].log_softmax(-1)
            scores.append([round(float(logs[mask + i, token]), 5) for i, token in enumerate(path)])
        golden[name].append(dict(text=case["text"], scores=scores))
(ROOT / "continuations.json").write_text(json.dumps(dict(paths=PATHS, models=golden)) + "\n")

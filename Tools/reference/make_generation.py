#!/usr/bin/env python3
"""Writes Tests/Fixtures/generation.json: greedy continuations of the tiny models of
Tests/Fixtures/language-models, without a cache and with the repetition penalty of transformers, and the
distributions that its logits processors leave. Needs: pip install torch transformers tokenizers."""
import json
import pathlib

import torch
from tokenizers import Tokenizer
from transformers import AutoModelForCausalLM
from transformers.generation.logits_process import (
    MinPLogitsWarper, RepetitionPenaltyLogitsProcessor, TemperatureLogitsWarper, TopKLogitsWarper,
    TopPLogitsWarper)

ROOT = pathlib.Path(__file__).parents[2] / "Tests/Fixtures"
NAMES = ["gpt2", "llama", "llama3", "mistral", "qwen2", "qwen3", "phi3", "gemma", "gpt-neox"]
PROMPTS = ["The capital of France is", "hello world"]
STEPS = 24


def greedy(model, ids, ends, penalty):
    processor = RepetitionPenaltyLogitsProcessor(penalty) if penalty != 1 else None
    ids, new, margin = list(ids), [], []
    for _ in range(STEPS):
        with torch.no_grad():
            logits = model(torch.tensor([ids])).logits[:, -1]
        if processor:
            logits = processor(torch.tensor([ids]), logits)
        best = logits[0].topk(2)
        margin.append(float(best.values[0] - best.values[1]))
        new.append(int(best.indices[0]))
        ids.append(new[-1])
        if new[-1] in ends:
            break
    return new, min(margin)


def texts():
    rows = []
    for name in NAMES:
        folder = ROOT / "language-models" / name
        model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32).eval()
        tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        eos = json.loads((folder / "config.json").read_text()).get("eos_token_id")
        own = {"gpt2": "<|endoftext|>", "qwen2": "<|endoftext|>", "qwen3": "<|endoftext|>",
               "gpt-neox": "<|endoftext|>", "llama": "</s>", "mistral": "</s>", "phi3": "</s>",
               "gemma": "</s>"}.get(name, "")
        ends = {x for x in [eos, tokenizer.token_to_id(own)] if x is not None}
        for prompt in PROMPTS:
            for penalty in [1, 1.5]:
                ids = tokenizer.encode(prompt).ids
                new, margin = greedy(model, ids, ends, penalty)
                rows.append({"model": name, "prompt": prompt, "penalty": penalty, "ids": new,
                             "margin": round(margin, 4), "ends": new[-1] in ends})
    return rows


def distributions():
    torch.manual_seed(3)
    logits = (torch.randn(400) * 3).round(decimals=4)
    rows = []
    for options in [dict(temperature=0.7), dict(temperature=1.5, top_k=10), dict(top_p=0.8),
                    dict(temperature=2.0, top_p=0.97), dict(top_k=20, top_p=0.5), dict(min_p=0.1),
                    dict(temperature=3.0, top_k=50, top_p=0.9, min_p=0.2), dict(top_p=0.01),
                    dict(top_k=1), dict(temperature=4.0, top_p=0.999), dict(temperature=0.1, min_p=1.0)]:
        scores = logits[None].clone()
        for key, kind in [("temperature", TemperatureLogitsWarper), ("top_k", TopKLogitsWarper),
                          ("top_p", TopPLogitsWarper), ("min_p", MinPLogitsWarper)]:
            if key in options:
                scores = kind(options[key])(None, scores)
        probabilities = torch.softmax(scores[0].double(), 0)
        kept = [i for i in probabilities.argsort(descending=True).tolist() if probabilities[i] > 0]
        rows.append({**options, "ids": kept,
                     "probabilities": [round(float(probabilities[i]), 6) for i in kept]})
    return {"logits": [round(float(x), 4) for x in logits], "rows": rows}


path = ROOT / "generation.json"
path.write_text(json.dumps({"texts": texts(), "distributions": distributions()}, separators=(",", ":"))
                .replace('{"model"', '\n{"model"') + "\n")
print(path.name, path.stat().st_size)

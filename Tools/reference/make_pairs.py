#!/usr/bin/env python3
"""Writes Tests/Fixtures/pairs.json: minimal pairs with the log-likelihoods of both texts by transformers,
and the accuracy of each task, for tiny models of Tests/Fixtures/language-models, by the conventions of
lm-evaluation-harness (`loglikelihood_rolling`). Needs: pip install torch transformers tokenizers."""
import json
import pathlib

import torch
from tokenizers import Tokenizer
from transformers import AutoModelForCausalLM

ROOT = pathlib.Path(__file__).parents[2] / "Tests/Fixtures"
PREFIXES = {"gpt2": "<|endoftext|>", "llama": "<s>", "qwen2": "<|endoftext|>"}
PAIRS = [
    ("agreement", "The cats sleep.", "The cats sleeps."),
    ("agreement", "The cat sleeps.", "The cat sleep."),
    ("agreement", "Some teachers were late.", "Some teachers was late."),
    ("order", "Who should Anna call after lunch?", "Who should Anna after call lunch?"),
    ("order", "It was great.", "Great it was."),
    ("order", "hello world", "world hello"),
    ("anaphora", "Anna saw herself.", "Anna saw himself."),
    ("anaphora", "The boys saw themselves.", "The boys saw itself."),
]


def main():
    golden = {"pairs": [{"task": t, "good": g, "bad": b} for t, g, b in PAIRS], "models": {}}
    for name, prefix in PREFIXES.items():
        folder = ROOT / "language-models" / name
        model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float64).eval()
        tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        bos = tokenizer.token_to_id(prefix)

        def score(text):
            ids = torch.tensor([[bos] + tokenizer.encode(text, add_special_tokens=False).ids])
            with torch.no_grad():
                logprobs = torch.log_softmax(model(ids).logits[0, :-1], -1)
            return float(logprobs.gather(1, ids[0, 1:, None]).sum())

        scores = [(t, score(g), score(b)) for t, g, b in PAIRS]
        golden["models"][name] = {
            "scores": [[g, b] for _, g, b in scores],
            "accuracy": {t: sum(g > b for u, g, b in scores if u == t) / sum(u == t for u, _, _ in scores)
                         for t in dict.fromkeys(t for t, _, _ in scores)}}
    (ROOT / "pairs.json").write_text(json.dumps(golden, indent=1) + "\n")


main()

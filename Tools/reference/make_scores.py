#!/usr/bin/env python3
"""Writes Tests/Fixtures/scores.json: log-likelihoods of texts and continuations by transformers, for the
tiny models of Tests/Fixtures/language-models, by the conventions of lm-evaluation-harness
(`loglikelihood` and `loglikelihood_rolling` of lm_eval/api/model.py and lm_eval/models/huggingface.py,
windows of lm_eval/utils.py). Needs: pip install torch transformers tokenizers."""
import json
import math
import pathlib
import re

import torch
from tokenizers import Tokenizer
from transformers import AutoModelForCausalLM

ROOT = pathlib.Path(__file__).parents[2] / "Tests/Fixtures"
# The token before the first one: the tokenizer class's bos_token, or its eos_token.
PREFIXES = {"gpt2": "<|endoftext|>", "llama": "<s>", "llama3": "<|begin_of_text|>",
            "qwen2": "<|endoftext|>", "gemma": "<s>", "gpt-neox": "<|endoftext|>"}
TEXTS = ["The capital of France is", "naïve Café — 日本語, 😀!", "It was great. " * 12, "", "x",
         "def f(x):\n\n    return x ** 2  # 1234567 "]
PAIRS = [("The capital of France is", " hello"), ("hello ", "world"), ("", "It was great."),
         ("It was great. " * 9, "It was"), ("naïve  ", "Café"), ("def f(x):\n ", "return x"),
         ("hello world", "!")]
LENGTHS = [96, 16]


def windows(tokens, prefix, length):
    """get_rolling_token_windows with context_len 1, and make_disjoint_window."""
    if not tokens:
        return
    first = min(length, len(tokens))
    yield [prefix], tokens[:first]
    done = first
    while done < len(tokens):
        count = min(len(tokens) - done, length)
        end = done + count
        context = tokens[end - length - 1:end - 1]
        yield context[:len(context) - (count - 1)], tokens[end - count:end]
        done += count


def score(model, context, continuation, length):
    ids = (context + continuation)[-(length + 1):][:-1]
    with torch.no_grad():
        logits = model(torch.tensor([ids])).logits[0].double()
    logprobs = torch.log_softmax(logits, -1)[-len(continuation):]
    own = logprobs.gather(1, torch.tensor(continuation)[:, None])[:, 0]
    return own.tolist(), bool((logprobs.argmax(-1) == torch.tensor(continuation)).all())


def decode(model, ids, tokenizer):
    """The likeliest token behind some, as text: a greedy continuation if it is tokenized alike."""
    with torch.no_grad():
        best = int(model(torch.tensor([ids])).logits[0, -1].argmax())
    return tokenizer.decode(ids + [best], skip_special_tokens=False)[len(
        tokenizer.decode(ids, skip_special_tokens=False)):] or "hello"


def main():
    golden = {}
    for name, prefix in PREFIXES.items():
        folder = ROOT / "language-models" / name
        model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32).eval()
        tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        bos = tokenizer.token_to_id(prefix)

        def encode(text, special=False):
            return tokenizer.encode(text, add_special_tokens=special).ids

        texts, pairs = [], []
        for length in LENGTHS:
            for text in TEXTS:
                all = []
                for context, own in windows(encode(text), bos, length):
                    all += score(model, context, own, length)[0]
                texts.append({"length": length, "text": text, "logprob": sum(all), "tokens": len(all)})
            best = decode(model, encode("hello world", True), tokenizer)
            for context, continuation in PAIRS + [("hello world", best)]:
                kept = context.rstrip()
                whole, before = context + continuation, kept
                if kept == "":
                    before_ids, own = [bos], encode(whole)
                else:
                    before_ids = encode(before, True)
                    own = encode(whole, True)[len(before_ids):]
                if not own:  # The tokenizer joins both; lm-evaluation-harness refuses such a pair.
                    continue
                all, greedy = score(model, before_ids, own, length)
                pairs.append({"length": length, "context": context, "continuation": continuation,
                              "logprob": sum(all), "tokens": len(all), "greedy": greedy,
                              "each": [round(x, 5) for x in all]})
        own = [x for x in texts if x["length"] == LENGTHS[0]]
        total = sum(x["logprob"] for x in own)
        words = sum(len(re.split(r"\s+", x["text"])) for x in own)
        size = sum(len(x["text"].encode()) for x in own)
        golden[name] = {
            "texts": texts, "pairs": pairs, "words": words, "bytes": size,
            "word_perplexity": math.exp(-total / words), "byte_perplexity": math.exp(-total / size),
            "bits_per_byte": -total / size / math.log(2)}
    path = ROOT / "scores.json"
    path.write_text(json.dumps(golden, indent=0, ensure_ascii=True) + "\n")
    print(path.name, path.stat().st_size)


main()

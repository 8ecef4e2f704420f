#!/usr/bin/env python3
"""Writes Tests/Fixtures/verbalize.json: verbalized learning (Xiao et al., arXiv 2406.04344) with a tiny
random model of Tests/Fixtures/language-models by transformers, whose answers are constrained token by
token. Nothing is sampled; the order of examples is that of Swift's `shuffled` with SplitMix64.
Needs: pip install torch transformers tokenizers."""
import codecs
import json
import pathlib
import tempfile
import shutil

import torch
from tokenizers import Tokenizer
from transformers import AutoModelForCausalLM

ROOT = pathlib.Path(__file__).parents[2] / "Tests/Fixtures"
LENGTH = 24
MASK = (1 << 64) - 1

LEARNER = """You are the model. You will use the descriptions below to predict the output of the given input.

** Pattern Descriptions: **
{description}

Please give your output strictly in the following format:
{explanation}Output: [{answer}]

** Input: **
{input}"""
OPTIMIZER = """You are the optimizer for a model, your goal is to learn the best descriptions for the model. \
The model used the current pattern descriptions below and produced the outputs for the given inputs. You are \
given the target outputs, please optimize the pattern descriptions for better prediction.

** Current Pattern Descriptions: **
{description}

** Inputs, the model outputs, and the target outputs: **
{lines}

If the model is doing well, you can keep using the current descriptions. However, if the model is not \
performing well, please improve the descriptions so that the model's outputs become the target outputs. \
Describe the pattern, not single inputs. Be specific and concise.

Please give your output strictly in the following format:
New Pattern Descriptions: [your new descriptions]"""


class SplitMix64:
    def __init__(self, seed):
        self.state = seed

    def next(self):
        self.state = (self.state + 0x9E3779B97F4A7C15) & MASK
        z = self.state
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9 & MASK
        z = (z ^ (z >> 27)) * 0x94D049BB133111EB & MASK
        return z ^ (z >> 31)

    def below(self, bound):
        product = self.next() * bound
        if product & MASK < bound:
            least = (-bound & MASK) % bound
            while product & MASK < least:
                product = self.next() * bound
        return product >> 64

    def shuffle(self, items):
        for i in range(len(items) - 1):
            j = i + self.below(len(items) - i)
            items[i], items[j] = items[j], items[i]


def literal(text):
    """A part of a pattern: what follows a text; None if the bytes do not begin so."""
    wanted = text.encode()

    def match(data):
        if len(data) < len(wanted):
            return "more" if wanted.startswith(data) else None
        return data[len(wanted):] if data.startswith(wanted) else None
    return match


def characters(data, least, most):
    """Whether bytes are, or may become, so many characters that are no controls: (possible, complete)."""
    decoder = codecs.getincrementaldecoder("utf-8")("strict")
    try:
        text = decoder.decode(data)
    except UnicodeDecodeError:
        return False, False
    tail = decoder.getstate()[0]
    if any(ord(c) < 0x20 for c in text) or len(text) + bool(tail) > most:
        return False, False
    return True, not tail and len(text) >= least


def number(data, digits, decimals):
    text = data.decode("latin-1")
    text = text[1:] if text.startswith("-") else text
    whole, point, rest = text.partition(".")
    if whole + rest and not ((whole + rest).isascii() and (whole + rest).isdigit()):
        return False, False
    if len(whole) > digits or len(rest) > decimals or (point and not whole):
        return False, False
    return True, len(rest) == decimals and bool(point)


def states(data, parts, last):
    """Whether bytes may become a text of literal parts and a last part, and whether they are one."""
    for part in parts:
        data = part(data)
        if data is None:
            return False, False
        if data == "more":
            return True, False
    return last(data)


class Model:
    def __init__(self, folder):
        self.model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32).eval()
        self.tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        table = {chr(b): b for b in [*range(33, 127), *range(161, 173), *range(174, 256)]}
        table |= {chr(256 + i): b for i, b in enumerate(b for b in range(256) if chr(b) not in table)}
        config = json.loads((folder / "tokenizer.json").read_text())
        special = {t["id"] for t in config["added_tokens"]}
        self.end = self.tokenizer.token_to_id("<|endoftext|>")
        self.bytes = {}
        for token, i in self.tokenizer.get_vocab().items():
            if i not in special:
                self.bytes[i] = bytes(table[c] for c in token)
        self.least = float("inf")

    def answer(self, prompt, states):
        ids = self.tokenizer.encode(f"user: {prompt}\nassistant:", add_special_tokens=False).ids
        data = b""
        while True:
            allowed = [i for i, b in self.bytes.items() if b and states(data + b)[0]]
            if states(data)[1]:
                if not allowed:
                    return data.decode()
                allowed.append(self.end)
            with torch.no_grad():
                logits = self.model(torch.tensor([ids])).logits[0, -1]
            best = logits[allowed].topk(min(2, len(allowed)))
            if len(allowed) > 1:
                self.least = min(self.least, float(best.values[0] - best.values[1]))
            token = allowed[int(best.indices[0])]
            if token == self.end:
                return data.decode()
            ids.append(token)
            data += self.bytes[token]


def run(model, examples, names, validation, batch, epochs, explanation, keeps_best):
    """One fit, and all that it tells."""
    if names:
        answer = "ONLY one of: " + ", ".join(names)
        last = lambda data: (any(n.encode().startswith(data) for n in names), data.decode("latin-1") in names)
    else:
        answer = "ONLY a number with 2 decimals"
        last = lambda data: number(data, 2, 2)

    def learner_states(data):
        if not explanation:
            return states(data, [literal("Output: ")], last)
        head = literal("Explanations: ")(data)
        if head in (None, "more"):
            return head == "more", False
        line, newline, rest = head.partition(b"\n")
        possible, complete = characters(line, 1, explanation)
        if not newline:
            return possible, False
        return states(rest, [literal("Output: ")], last) if complete else (False, False)

    def loss(outputs, rows):
        if names:
            return sum(o != r["label"] for o, r in zip(outputs, rows)) / len(rows)
        return sum((float(o) - float(r["label"])) ** 2 for o, r in zip(outputs, rows)) / len(rows)

    def answers(rows, description):
        return [model.answer(LEARNER.format(
            description=description, answer=answer, input=row["text"],
            explanation="Explanations: [your step-by-step analysis]\n" if explanation else ""),
            learner_states).split("Output: ")[-1].strip(" ") for row in rows]

    def improved(description, rows, outputs):
        lines = "\n\n".join(f"Input: {r['text']}\nModel output: {o}\nTarget output: {r['label']}"
                            for r, o in zip(rows, outputs))
        text = model.answer(OPTIMIZER.format(description=description, lines=lines), lambda data: states(
            data, [literal("New Pattern Descriptions: ")], lambda rest: characters(rest, 8, LENGTH)))
        return text.split("New Pattern Descriptions: ")[-1].strip(" ")

    random = SplitMix64(0)
    rows = list(examples)
    random.shuffle(rows)
    judges = min(len(rows) - 1, int(len(rows) * validation))
    judged, training = rows[:judges], rows[judges:]
    judged = judged or list(training)
    current = "The pattern is not known yet."
    first = loss(answers(judged, current), judged)
    best, steps = (first, current), []
    for epoch in range(epochs):
        if epoch:
            random.shuffle(training)
        for start in range(0, len(training), batch):
            rows = training[start:start + batch]
            outputs = answers(rows, current)
            current = improved(current, rows, outputs)
            held = loss(answers(judged, current), judged)
            steps.append({"batch": loss(outputs, rows), "held_out": held, "description": current})
            if held < best[0]:
                best = (held, current)
            if keeps_best:
                current = best[1]
    return {"held_out_first": first, "held_out": best[0], "description": best[1], "steps": steps}


def main():
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder) / "model"
        shutil.copytree(ROOT / "language-models/qwen2", folder)
        config = json.loads((folder / "config.json").read_text())
        config["max_position_embeddings"] = 8192
        (folder / "config.json").write_text(json.dumps(config))
        model = Model(folder)
        classes = [{"text": t, "label": l} for t, l in [
            ("hello world", "a/b"), ("hello", "c"), ("the world", "a/b"), ("capital", "c+"), ("is", "c"),
            ("of France", "a/b"), ("hello hello", "c+")]]
        numbers = [{"text": f"x = {x}", "label": f"{3 * x + 4:.2f}"} for x in [0.5, 1.25, 2, 0.1, 1.75]]
        runs = []
        for examples, names, options in [
            (classes, ["a/b", "c", "c+"], dict(validation=0.3, batch=2, epochs=2, explanation=0, keeps_best=False)),
            (classes, ["a/b", "c", "c+"], dict(validation=0.3, batch=3, epochs=1, explanation=12, keeps_best=True)),
            (numbers, None, dict(validation=0, batch=2, epochs=1, explanation=0, keeps_best=False)),
        ]:
            runs.append({"examples": examples, "options": options,
                         "result": run(model, examples, names, **options)})
        print("least margin", model.least)
    (ROOT / "verbalize.json").write_text(json.dumps({"length": LENGTH, "runs": runs}, indent=1, ensure_ascii=False) + "\n")


main()

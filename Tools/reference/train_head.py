#!/usr/bin/env python3
"""Trains a classification head on an encoder and saves the model with transformers, as a real checkpoint
to try. Needs: pip install transformers torch.

    train_head.py ENCODER FOLDER OUT [--epochs 2] [--freeze] [--rank]

FOLDER has train.jsonl and test.jsonl with `text` and `label`. OUT receives the checkpoint
(BertForSequenceClassification and so on) and `expected.jsonl`: for each test text the label and the
probabilities that transformers computes. With --rank the head has one logit, and pairs of a label and a
text train it: a cross-encoder.
"""
import argparse
import json
import pathlib
import random

import torch
import transformers as t

parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
parser.add_argument("encoder")
parser.add_argument("folder", type=pathlib.Path)
parser.add_argument("out", type=pathlib.Path)
parser.add_argument("--epochs", type=int, default=2)
parser.add_argument("--freeze", action="store_true", help="train pooler and classifier of a BERT alone")
parser.add_argument("--rank", action="store_true", help="train a cross-encoder")
args = parser.parse_args()


def read(name):
    return [json.loads(line) for line in (args.folder / name).read_text().splitlines()]


random.seed(1)
torch.manual_seed(1)
train, test = read("train.jsonl"), read("test.jsonl")
names = sorted({str(x["label"]) for x in train})
tokenizer = t.AutoTokenizer.from_pretrained(args.encoder)
labels = ["LABEL_0"] if args.rank else names
model = t.AutoModelForSequenceClassification.from_pretrained(
    args.encoder, num_labels=len(labels), id2label=dict(enumerate(labels)),
    label2id={x: i for i, x in enumerate(labels)})
for name, p in model.base_model.named_parameters():
    p.requires_grad = not args.freeze or "pooler" in name
if args.rank:
    train = [dict(pair=(name, x["text"]), target=float(name == str(x["label"])))
             for x in train for name in {str(x["label"]), random.choice(names)}]


def encoded(batch):
    first = [x["pair"][0] if args.rank else x["text"] for x in batch]
    second = [x["pair"][1] for x in batch] if args.rank else None
    return tokenizer(first, second, padding=True, truncation=True, max_length=128, return_tensors="pt")


def first_states(batch):
    """The states of the first tokens, which the head reads."""
    with torch.no_grad():
        return model.base_model(**encoded(batch)).last_hidden_state[:, :1]


if args.freeze:
    model.eval()
    for i in range(0, len(train), 32):
        for x, state in zip(train[i:i + 32], first_states(train[i:i + 32])):
            x["state"] = state


def logits_of(batch):
    if not args.freeze:
        return model(**encoded(batch)).logits
    return model.classifier(model.base_model.pooler(torch.stack([x["state"] for x in batch])))


parameters = [p for p in model.parameters() if p.requires_grad]
optimizer = torch.optim.AdamW(parameters, lr=1e-3 if args.freeze else 1e-4)
model.train()
for epoch in range(args.epochs):
    random.shuffle(train)
    total = 0.0
    for i in range(0, len(train), 16):
        batch = train[i:i + 16]
        logits = logits_of(batch)
        if args.rank:
            target = torch.tensor([x["target"] for x in batch])
            loss = torch.nn.functional.binary_cross_entropy_with_logits(logits[:, 0], target)
        else:
            target = torch.tensor([names.index(str(x["label"])) for x in batch])
            loss = torch.nn.functional.cross_entropy(logits, target)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        total += loss.item() * len(batch)
    print(f"epoch {epoch + 1}: loss {total / len(train):.4f}", flush=True)
model.eval().save_pretrained(args.out)
tokenizer.save_pretrained(args.out)
if not args.rank:
    right = 0
    with torch.no_grad(), open(args.out / "expected.jsonl", "w") as out:
        for x in test:
            p = model(**encoded([x])).logits.softmax(-1)[0].tolist()
            label = names[p.index(max(p))]
            right += label == str(x["label"])
            out.write(json.dumps(dict(text=x["text"], label=label, probabilities=p)) + "\n")
    print(f"accuracy {right / len(test):.4f} on {len(test)} texts")

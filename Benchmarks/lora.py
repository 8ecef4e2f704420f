"""Finetunes an encoder by low-rank adaptation (Hu et al. 2021; peft) in a process of its own, in fp32:

    lora.py CHECKPOINT TRAIN.jsonl TEST.jsonl SEED

Prints {"accuracy", "seconds", "peak_bytes"}: seconds from the checkpoint's loading to the trained model, without
Python's imports; the peak is the process's when it is trained."""
import json
import math
import re
import sys
import time

import torch
from peft import LoraConfig, get_peft_model
from transformers import AutoModel, AutoTokenizer

EPOCHS, BATCH, RATE = 20, 16, 1e-3
# As many epochs where there are few examples; fewer where the steps would be more than that.
FEWEST, MOST = 100, 600

checkpoint, train, test, seed = sys.argv[1:]
train, test = ([json.loads(line) for line in open(path)] for path in (train, test))
torch.manual_seed(int(seed))
start = time.perf_counter()
tokenizer = AutoTokenizer.from_pretrained(checkpoint)
names = sorted({row["label"] for row in train})
encoder = get_peft_model(
    AutoModel.from_pretrained(checkpoint, dtype=torch.float32),
    LoraConfig(r=8, lora_alpha=16, lora_dropout=0.1, target_modules=["query", "value"]))
head = torch.nn.Linear(encoder.config.hidden_size, len(names))


def logits(texts):
    batch = tokenizer(texts, padding=True, truncation=True, max_length=256, return_tensors="pt")
    mask = batch["attention_mask"].unsqueeze(-1)
    states = encoder(**batch).last_hidden_state
    pooled = torch.nn.functional.normalize((states * mask).sum(1) / mask.sum(1), dim=-1)
    # Unit vectors times a trainable matrix of small numbers: the usual factor makes its gradients useful.
    return head(pooled * math.sqrt(encoder.config.hidden_size))


steps = min(max(EPOCHS * math.ceil(len(train) / BATCH), FEWEST), MOST)
parameters = [p for p in [*encoder.parameters(), *head.parameters()] if p.requires_grad]
optimizer = torch.optim.AdamW(parameters, lr=RATE, weight_decay=0.01)
schedule = torch.optim.lr_scheduler.LambdaLR(
    optimizer, lambda step: min((step + 1) / (0.1 * steps), (steps - step) / (0.9 * steps)))
encoder.train()
order = []
for _ in range(steps):
    if not order:
        order = torch.randperm(len(train)).tolist()
    rows, order = [train[i] for i in order[:BATCH]], order[BATCH:]
    loss = torch.nn.functional.cross_entropy(
        logits([row["text"] for row in rows]), torch.tensor([names.index(row["label"]) for row in rows]))
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    schedule.step()
seconds = time.perf_counter() - start
peak = int(re.search(r"VmHWM:\s+(\d+)", open("/proc/self/status").read())[1]) * 1024
encoder.eval()
right = 0
with torch.inference_mode():
    by_length = sorted(test, key=lambda row: len(row["text"]))
    for first in range(0, len(test), 64):
        rows = by_length[first:first + 64]
        for row, answer in zip(rows, logits([row["text"] for row in rows]).argmax(1)):
            right += names[answer] == row["label"]
print(json.dumps({"accuracy": right / len(test), "seconds": seconds, "peak_bytes": peak}))

"""Finetunes a causal language model by low-rank adaptation (Hu et al. 2021; peft) in fp32, with label words as
the answer:

    lora_decoder.py MODEL.gguf FOLDER TEST_COUNT STEPS SEED

FOLDER has train.jsonl, test.jsonl, labels.json and template.txt (fewshot.py). The loss is the cross-entropy of the
first token of each label's first word among those of all labels. Prints {"accuracy", "seconds", "steps"}."""
import json
import pathlib
import sys
import time

import torch
from peft import LoraConfig, get_peft_model
from transformers import AutoModelForCausalLM, AutoTokenizer

BATCH, RATE, LONGEST = 16, 1e-3, 96

path, folder, count, steps, seed = sys.argv[1:]
path, folder, steps = pathlib.Path(path), pathlib.Path(folder), int(steps)
torch.manual_seed(int(seed))
torch.set_num_threads(1)
read = lambda part: [json.loads(line) for line in open(folder / f"{part}.jsonl")]
train, test = read("train"), read("test")[:int(count)]
words = json.loads((folder / "labels.json").read_text())
template = (folder / "template.txt").read_text().strip()
names = sorted(words)
tokenizer = AutoTokenizer.from_pretrained(path.parent, gguf_file=path.name)
tokenizer.pad_token = tokenizer.pad_token or tokenizer.eos_token
tokenizer.padding_side = tokenizer.truncation_side = "left"
answers = torch.tensor([tokenizer(" " + words[name][0], add_special_tokens=False).input_ids[0] for name in names])
model = get_peft_model(
    AutoModelForCausalLM.from_pretrained(path.parent, gguf_file=path.name, dtype=torch.float32),
    LoraConfig(r=8, lora_alpha=16, lora_dropout=0.1, target_modules=["q_proj", "v_proj"]))


def logits(rows):
    texts = [template.replace("{text}", row["text"]) for row in rows]
    batch = tokenizer(texts, padding=True, truncation=True, max_length=LONGEST, return_tensors="pt")
    states = model.base_model.model.model(
        input_ids=batch["input_ids"], attention_mask=batch["attention_mask"],
        position_ids=(batch["attention_mask"].cumsum(1) - 1).clamp(min=0)).last_hidden_state[:, -1]
    return states @ model.get_output_embeddings().weight[answers].T


start = time.perf_counter()
optimizer = torch.optim.AdamW([p for p in model.parameters() if p.requires_grad], lr=RATE, weight_decay=0.01)
schedule = torch.optim.lr_scheduler.LambdaLR(
    optimizer, lambda step: min((step + 1) / (0.1 * steps), (steps - step) / (0.9 * steps)))
model.train()
order = []
for step in range(steps):
    if len(order) < BATCH:
        order = torch.randperm(len(train)).tolist()
    rows, order = [train[i] for i in order[:BATCH]], order[BATCH:]
    loss = torch.nn.functional.cross_entropy(
        logits(rows), torch.tensor([names.index(row["label"]) for row in rows]))
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    schedule.step()
seconds = time.perf_counter() - start
model.eval()
right = 0
with torch.inference_mode():
    by_length = sorted(test, key=lambda row: len(row["text"]))
    for first in range(0, len(test), 32):
        rows = by_length[first:first + 32]
        right += sum(names[answer] == row["label"] for row, answer in zip(rows, logits(rows).argmax(1)))
print(json.dumps({"accuracy": right / len(test), "seconds": seconds, "steps": steps}))

"""Reranking with a cross-encoder of MiniLM's shape beside ONNX Runtime int8, and its memory as passages grow.

    rerank.py [--checkpoint FOLDER] [--rounds 7] [--passages 100] [--skip-memory]

The checkpoint is a BertForSequenceClassification with one label; without one, MiniLM gets a head with random
weights, whose speed is that of a trained one. A pass reads a query and each passage, 64 tokens together, and
writes the scores. Both programs tokenize; ONNX Runtime has the batch that is fastest for it. Times are medians of
turns in which each runs with an open model. On a machine that others use, the ratio of the processor's time is the
steadier one.
"""
import argparse
import pathlib
import resource
import subprocess
import time

import numpy as np
import threadpoolctl

from peers import export
from programs import CACHE, CHECKPOINT, VDSQ, measured
from sentences import OBJECTS, SUBJECTS, VERBS

QUERY = "Which violin stopped working because of the hospital's east wing?"
TOKENS = 64
BATCHES = (1, 4, 16, 32, 100)


def head(folder):
    """MiniLM as a cross-encoder with a head of random weights."""
    if not (folder / "model.safetensors").exists():
        import torch
        from transformers import AutoModelForSequenceClassification, AutoTokenizer
        torch.manual_seed(0)
        model = AutoModelForSequenceClassification.from_pretrained(CHECKPOINT, num_labels=1)
        model.save_pretrained(folder)
        AutoTokenizer.from_pretrained(CHECKPOINT).save_pretrained(folder)
    return folder


def passages(tokenizer, count):
    """Passages that are `TOKENS` tokens long together with the query, each another one."""
    words = [w for part in SUBJECTS + VERBS + OBJECTS for w in part.split()]
    found = []
    for i in range(count):
        text = f"{i}"
        j = 7 * i
        while len(tokenizer.encode(QUERY, f"{text} {words[j % len(words)]}").ids) <= TOKENS:
            text += f" {words[j % len(words)]}"
            j += 5
        while len(tokenizer.encode(QUERY, text).ids) < TOKENS:
            text += " a"
        found.append(text)
    return found


class Peer:
    """ONNX Runtime int8 with a number of threads."""
    def __init__(self, model, tokenizer, threads, batch):
        import onnxruntime
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        self.session = onnxruntime.InferenceSession(str(model), options, providers=["CPUExecutionProvider"])
        self.tokenizer, self.batch = tokenizer, batch

    def scores(self, texts):
        logits = []
        for first in range(0, len(texts), self.batch):
            found = self.tokenizer.encode_batch([(QUERY, t) for t in texts[first:first + self.batch]])
            logits.append(self.session.run(None, {
                name: np.array([getattr(e, field) for e in found]) for name, field in
                [("input_ids", "ids"), ("attention_mask", "attention_mask"), ("token_type_ids", "type_ids")]})[0])
        return np.concatenate(logits)[:, 0]


def times(call, processor):
    """Seconds of a call on the clock and on the processor."""
    begin, used = time.perf_counter(), processor()
    result = call()
    return np.array([time.perf_counter() - begin, processor() - used]), result


def children():
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def ours(model, texts, threads, repeats):
    """Times for the passages, and their scores: a run with one more than `repeats` of them less a run with one.

    The process is a whole one, so its start and the opening of the model cancel out."""
    command = [VDSQ, "rerank", model, QUERY, "--all", "--threads", str(threads), "-q"]

    def run(count):
        data = ("".join(t + "\n" for t in texts) * count).encode()
        return times(lambda: subprocess.run(command, input=data, stdout=subprocess.PIPE, check=True).stdout, children)
    once, output = run(1)
    often, _ = run(1 + repeats)
    return (often - once) / repeats, np.array([float(line.split(b"\t")[0]) for line in output.splitlines()])


def speed(model, exported, folder, arguments):
    from tokenizers import Tokenizer
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    tokenizer.no_padding()
    tokenizer.no_truncation()
    texts = passages(tokenizer, arguments.passages)
    print("| threads | vdsq, ms | ONNX Runtime int8, ms | speedup | processor time | its batch | scores differ by |")
    print("|---|---|---|---|---|---|---|")
    for threads in (1, 2):
        with threadpoolctl.threadpool_limits(threads):
            # The batch that is fastest for the peer.
            peers = {batch: Peer(exported, tokenizer, threads, batch) for batch in BATCHES}
            trial = {batch: [] for batch in BATCHES}
            for _ in range(3):
                for batch, peer in peers.items():
                    trial[batch].append(times(lambda: peer.scores(texts), time.process_time)[0][1])
            best = min(trial, key=lambda batch: min(trial[batch]))
            own, other = [], []
            for _ in range(arguments.rounds):
                taken, scores = ours(model, texts, threads, 4)
                own.append(taken)
                taken, logits = times(lambda: [peers[best].scores(texts) for _ in range(4)][0], time.process_time)
                other.append(taken / 4)
        gap = np.abs(scores - 1 / (1 + np.exp(-logits))).max()
        a, b = np.median(own, axis=0), np.median(other, axis=0)
        print(f"| {threads} | {a[0] * 1e3:.0f} | {b[0] * 1e3:.0f} | {b[0] / a[0]:.2f}x | {b[1] / a[1]:.2f}x | {best} | "
              f"{gap:.3f} |", flush=True)


def memory(model, folder):
    from tokenizers import Tokenizer
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    texts = passages(tokenizer, 1000)
    print("\n| passages | peak RSS, MB | peak RSS with --all, MB |\n|---|---|---|")
    for count in (10_000, 100_000):
        data = ("".join(t + "\n" for t in texts) * (count // 1000)).encode()
        row = []
        for options in ([], ["--all"]):
            command = [VDSQ, "rerank", model, QUERY, "--threads", "2", "-q", "--max-tokens", "32", *options]
            output, _, peak = measured(command, data)
            assert len(output.splitlines()) == (count if options else 10)
            row.append(peak / 1e6)
        print(f"| {count:,} | {row[0]:.2f} | {row[1]:.2f} |", flush=True)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--checkpoint", type=pathlib.Path)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--passages", type=int, default=100)
    parser.add_argument("--skip-memory", action="store_true")
    arguments = parser.parse_args()
    folder = arguments.checkpoint or head(CACHE / "minilm-rerank")
    model = str(folder) + ".vdsq"
    if not pathlib.Path(model).exists():
        subprocess.run([VDSQ, "convert", folder, "-o", model, "-q"], check=True)
    exported = pathlib.Path(f"{folder}-int8.onnx")
    export(str(folder), exported, head=True)
    speed(model, exported, folder, arguments)
    if not arguments.skip_memory:
        memory(model, folder)


main()

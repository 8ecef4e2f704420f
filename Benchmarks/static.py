"""A static model of 30,522 x 256 (model2vec, as potion-base-8M) beside model2vec itself: memory, texts per minute on
one core, and the time to the first answer.

    static.py [--texts 1000000] [--rounds 5]

The table is random; its tokenizer is MiniLM's. vdsq-run and vdsq classify short texts by the nearest of four label
words. model2vec only encodes them, in one process on one core, in batches of 1,024.
"""
import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import time

import numpy as np

from programs import CACHE, CHECKPOINT, VDSQ, VDSQ_RUN, measured
from sentences import OBJECTS, QUESTIONS, SUBJECTS, VERBS

COLUMNS = 256
FOLDER, MODEL = CACHE / "shape-static", CACHE / "shape-static.vdsq"
TEXTS = [f"{s} {v} {o}." for s in SUBJECTS for v in VERBS for o in OBJECTS] + QUESTIONS
PEER = """
import sys, time
from model2vec import StaticModel
model = StaticModel.from_pretrained(sys.argv[1])
texts = sys.stdin.read().splitlines()
start = time.perf_counter()
model.encode(texts, batch_size=1024, use_multiprocessing=False)
print(time.perf_counter() - start)
"""


def checkpoint():
    from safetensors.numpy import save_file
    FOLDER.mkdir(exist_ok=True)
    shutil.copy(f"{CHECKPOINT}/tokenizer.json", FOLDER / "tokenizer.json")
    (FOLDER / "config.json").write_text(json.dumps({
        "model_type": "model2vec", "architectures": ["StaticModel"], "seq_length": 1000000, "max_length": 512,
        "normalize": True}))
    rows = json.loads((FOLDER / "tokenizer.json").read_text())["model"]["vocab"]
    table = np.random.default_rng(0).standard_normal((len(rows), COLUMNS), dtype=np.float32)
    save_file({"embeddings": table}, str(FOLDER / "model.safetensors"))
    subprocess.run([VDSQ, "convert", FOLDER, "-o", MODEL, "-q", "--force"], check=True)
    words = [word.removeprefix("##") for word in rows]
    return len(rows), ("\n".join(" ".join(words[i:i + 50]) for i in range(0, len(words), 50)) + "\n").encode()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--texts", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=5)
    arguments = parser.parse_args()
    rows, all_words = checkpoint()
    os.sched_setaffinity(0, {0})
    many = ("\n".join(TEXTS[i % len(TEXTS)] for i in range(arguments.texts)) + "\n").encode()
    one = (TEXTS[0] + "\n").encode()
    labels = ["--labels", "billing,outage,account,spam", "--template", "{}"]
    print(f"{rows:,} rows of {COLUMNS}, {rows * COLUMNS / 1e6:.1f} MB in int8; file {MODEL.stat().st_size / 1e6:.1f} MB;"
          f" {arguments.texts:,} texts, {len(many) / arguments.texts:.0f} bytes each\n")
    print("| program | texts per minute | peak, MB | peak if every row is read, MB | first answer, ms |\n"
          "|---|---|---|---|---|")
    for name, command in [("vdsq-run", [VDSQ_RUN, str(MODEL), *labels]),
                          ("vdsq classify, one thread", [VDSQ, "classify", str(MODEL), *labels, "--threads", "1"])]:
        rates, peaks, firsts = [], [], []
        for _ in range(arguments.rounds):
            _, seconds, peak = measured(command, many)
            rates.append(arguments.texts / seconds * 60)
            peaks.append(peak / 1e6)
            begin = time.perf_counter()
            subprocess.run(command, input=one, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=True)
            firsts.append((time.perf_counter() - begin) * 1e3)
        every = measured(command, all_words)[2] / 1e6
        print(f"| {name} | {statistics.median(rates):,.0f} | {statistics.median(peaks):.1f} | {every:.1f} | "
              f"{statistics.median(firsts):.1f} |", flush=True)
    rates, peaks = [], []
    part = ("\n".join(TEXTS[i % len(TEXTS)] for i in range(arguments.texts // 10)) + "\n").encode()
    for _ in range(max(1, arguments.rounds // 2)):
        out, _, peak = measured([sys.executable, "-c", PEER, str(FOLDER)], part)
        rates.append(arguments.texts // 10 / float(out) * 60)
        peaks.append(peak / 1e6)
    print(f"| model2vec, encoding alone | {statistics.median(rates):,.0f} | {statistics.median(peaks):.0f} | | |")


if __name__ == "__main__":
    main()

"""How fast a language model generates, and how much of the memory's bandwidth that takes.

    Benchmarks/run generation [--model FILE.vdsq] [--gguf FILE] [--tokens 128] [--runs 5] [--threads 1,2]

Without --model, SmolLM2-135M-Instruct is fetched (Tools/fetch-language-model) and converted to int8. Every
token is generated greedily behind the same prompt. Each turn runs every program once, so that a machine that
is busy for a while slows all of them; figures are medians. Bytes per token are those of the layers and of the
head's rows, which are read for every token; the bandwidth is beside that of a program that only reads as many
bytes (numpy's sum over words of 8 bytes, on one core). If llama-cpp-python is installed, llama.cpp generates
as many tokens with --gguf, which should have 8-bit weights (Q8_0) to be compared with int8."""
import argparse
import json
import statistics
import subprocess
import time

import numpy as np

from programs import CACHE, ROOT, VDSQ

PROMPT = "Once upon a time there was a"
parser = argparse.ArgumentParser()
parser.add_argument("--model")
parser.add_argument("--gguf")
parser.add_argument("--tokens", type=int, default=128)
parser.add_argument("--runs", type=int, default=5)
parser.add_argument("--threads", default="1,2")
arguments = parser.parse_args()
THREADS = [int(n) for n in arguments.threads.split(",")]


def model():
    if arguments.model:
        return arguments.model
    path = CACHE / "smollm2.vdsq"
    if not path.exists():
        gguf = subprocess.run([ROOT / "Tools/fetch-language-model"], capture_output=True, text=True,
                              check=True).stdout.strip()
        subprocess.run([VDSQ, "convert", gguf, "-o", path, "-q"], check=True)
    return str(path)


def bytes_per_token(path):
    sections = json.loads(subprocess.run([VDSQ, "inspect", path, "--json"], capture_output=True,
                                         text=True, check=True).stdout)["sections"]
    layers = sum(s["bytes"] for s in sections if s["name"].startswith("layer."))
    names = [s["name"] for s in sections]
    head = "head" if "head" in names else "embeddings"
    return layers + sum(s["bytes"] for s in sections if s["name"] == head)


def vdsq(path, threads):
    """Seconds per token: the difference between many tokens and one, so that the start does not count."""
    seconds = []
    for count in [1, arguments.tokens + 1]:
        start = time.perf_counter()
        out = subprocess.run(
            [VDSQ, "generate", path, PROMPT, "--max-tokens", str(count), "--context", str(arguments.tokens + 32),
             "--threads", str(threads), "--json"], capture_output=True, text=True, check=True).stdout
        seconds.append(time.perf_counter() - start)
        tokens = json.loads(out)["tokens"]
    return (seconds[1] - seconds[0]) / (tokens - 1)


def llama(threads):
    import llama_cpp
    model = llama_cpp.Llama(arguments.gguf, n_ctx=arguments.tokens + 32, n_threads=threads,
                            n_threads_batch=threads, verbose=False)
    ids = model.tokenize(PROMPT.encode())
    def run():
        model.reset()
        stream = model.generate(ids, temp=0)
        next(stream)
        start = time.perf_counter()
        for _ in range(arguments.tokens):
            next(stream)
        return (time.perf_counter() - start) / arguments.tokens
    return run


def reading(count):
    words = np.ones(count // 8, dtype=np.int64)
    start = time.perf_counter()
    words.sum()
    return time.perf_counter() - start


def main():
    path = model()
    size = bytes_per_token(path)
    runs = {f"vdsq, {n} threads": (lambda n=n: vdsq(path, n)) for n in THREADS}
    if arguments.gguf:
        runs |= {f"llama.cpp, {n} threads": llama(n) for n in THREADS}
    runs["reading as many bytes, 1 thread"] = lambda: reading(size)
    seconds = {name: [] for name in runs}
    for _ in range(arguments.runs):
        for name, run in runs.items():
            seconds[name].append(run())
    print(f"{arguments.tokens} tokens, {size / 1e6:.1f} MB per token, medians of {arguments.runs}\n")
    print("| | ms per token | tokens/s | GB/s |\n|---|---|---|---|")
    for name, all in seconds.items():
        median = statistics.median(all)
        bandwidth = "" if name.startswith("llama") else f"{size / median / 1e9:.1f}"
        print(f"| {name} | {median * 1e3:.2f} | {1 / median:.0f} | {bandwidth} |")


main()

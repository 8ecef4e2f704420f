"""How fast a language model generates, and how much of the memory's bandwidth that takes.

    Benchmarks/run generation [--model FILE.vdsq] [--gguf FILE,FILE] [--tokens 128] [--runs 5] [--threads 1,2]
                              [--prompts 8,32,128,512]

Without --model, SmolLM2-135M-Instruct is fetched (Tools/fetch-language-model) and converted to int8. Every
token is generated greedily behind the same prompt. Each turn runs every program once, so that a machine that
is busy for a while slows all of them; figures are medians. Bytes per token are those of the layers and of the
head's rows, which are read for every token; the bandwidth is beside that of a program that only reads as many
bytes (numpy's sum over words of 8 bytes, on one core). "4 texts" are four lines with --parallel 4, per token of
all of them. Prompts of several lengths are read besides. If llama-cpp-python is installed, llama.cpp does the
same with each file of --gguf; by default the same checkpoint in Q8_0 and Q4_0, which llama.cpp makes."""
import argparse
import json
import statistics
import subprocess
import time

import numpy as np

from programs import CACHE, VDSQ, language_model, language_model_checkpoint

PROMPT = "Once upon a time there was a"
parser = argparse.ArgumentParser()
parser.add_argument("--model")
parser.add_argument("--gguf")
parser.add_argument("--tokens", type=int, default=128)
parser.add_argument("--runs", type=int, default=5)
parser.add_argument("--threads", default="1,2")
parser.add_argument("--prompts", default="8,32,128,512", help="tokens of prompts; empty for none")
arguments = parser.parse_args()
THREADS = [int(n) for n in arguments.threads.split(",")]
PROMPTS = [int(n) for n in arguments.prompts.split(",") if n]


def ggufs():
    """The files of llama.cpp; none if it is not installed."""
    try:
        import llama_cpp
    except ImportError:
        return []
    if arguments.gguf:
        return arguments.gguf.split(",")
    source = language_model_checkpoint()
    paths = []
    for name, kind in [("Q8_0", llama_cpp.LLAMA_FTYPE_MOSTLY_Q8_0), ("Q4_0", llama_cpp.LLAMA_FTYPE_MOSTLY_Q4_0)]:
        path = CACHE / f"smollm2-{name}.gguf"
        if not path.exists():
            params = llama_cpp.llama_model_quantize_default_params()
            params.ftype, params.allow_requantize = kind, True
            code = llama_cpp.llama_model_quantize(source.encode(), str(path).encode(), params)
            assert code == 0, f"{path}: llama.cpp cannot quantize"
        paths.append(str(path))
    return paths


def bytes_per_token(path):
    sections = json.loads(subprocess.run([VDSQ, "inspect", path, "--json"], capture_output=True,
                                         text=True, check=True).stdout)["sections"]
    layers = sum(s["bytes"] for s in sections if s["name"].startswith("layer."))
    names = [s["name"] for s in sections]
    head = "head" if "head" in names else "embeddings"
    return layers + sum(s["bytes"] for s in sections if s["name"] == head)


def vdsq(path, threads, texts=1):
    """Seconds per token: the difference between many tokens and one, so that the start does not count."""
    seconds, tokens = [], []
    for count in [1, arguments.tokens + 1]:
        start = time.perf_counter()
        out = subprocess.run(
            [VDSQ, "generate", path, "--max-tokens", str(count), "--context", str(arguments.tokens + 32),
             "--threads", str(threads), "--parallel", str(texts), "--json"], input=f"{PROMPT}\n" * texts,
            capture_output=True, text=True, check=True).stdout
        seconds.append(time.perf_counter() - start)
        tokens.append(sum(json.loads(line)["tokens"] for line in out.splitlines()))
    return (seconds[1] - seconds[0]) / (tokens[1] - tokens[0])


def llama(path, threads):
    import llama_cpp
    model = llama_cpp.Llama(path, n_ctx=arguments.tokens + 32, n_threads=threads,
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


def vdsq_prompt(path, tokens, threads):
    rows = subprocess.run([VDSQ, "bench", path, "--tokens", str(tokens), "--threads", str(threads), "--json"],
                          capture_output=True, check=True).stdout
    return json.loads(rows)[0]["ms"] / 1e3


def llama_prompt(path, tokens, threads):
    import llama_cpp
    model = llama_cpp.Llama(path, n_ctx=tokens + 8, n_batch=tokens, n_threads=threads, n_threads_batch=threads,
                            verbose=False)
    ids = model.tokenize((PROMPT * tokens).encode())[:tokens]

    def run():
        seconds = []
        for _ in range(3):
            model.reset()
            start = time.perf_counter()
            model.eval(ids)
            seconds.append(time.perf_counter() - start)
        return statistics.median(seconds)
    return run


def prompts(path, files):
    """Tokens per second of prompts, in turns."""
    print("\n| prompt | " + " | ".join(["vdsq", *files]) + " |\n|---|" + "---|" * (1 + len(files)))
    for threads in THREADS:
        for tokens in PROMPTS:
            runs = [lambda: vdsq_prompt(path, tokens, threads),
                    *[llama_prompt(file, tokens, threads) for file in files.values()]]
            seconds = [[] for _ in runs]
            for _ in range(arguments.runs):
                for own, run in zip(seconds, runs):
                    own.append(run())
            print(f"| {tokens} tokens, {threads} threads | "
                  + " | ".join(f"{tokens / statistics.median(all):.0f}" for all in seconds) + " |", flush=True)


def reading(count):
    words = np.ones(count // 8, dtype=np.int64)
    start = time.perf_counter()
    words.sum()
    return time.perf_counter() - start


def main():
    path = arguments.model or language_model()
    size = bytes_per_token(path)
    runs = {f"vdsq, {n} threads": (lambda n=n: vdsq(path, n)) for n in THREADS}
    runs |= {f"vdsq, {n} threads, 4 texts": (lambda n=n: vdsq(path, n, 4)) for n in THREADS}
    files = {gguf.rsplit("-", 1)[-1].removesuffix(".gguf"): gguf for gguf in ggufs()}
    for name, gguf in files.items():
        runs |= {f"llama.cpp {name}, {n} threads": llama(gguf, n) for n in THREADS}
    runs["reading as many bytes, 1 thread"] = lambda: reading(size)
    seconds = {name: [] for name in runs}
    for _ in range(arguments.runs):
        for name, run in runs.items():
            seconds[name].append(run())
    print(f"{arguments.tokens} tokens, {size / 1e6:.1f} MB per token, medians of {arguments.runs}\n")
    print("| | ms per token | tokens/s | GB/s |\n|---|---|---|---|")
    for name, all in seconds.items():
        median = statistics.median(all)
        bandwidth = "" if name.startswith("llama") or "texts" in name else f"{size / median / 1e9:.1f}"
        print(f"| {name} | {median * 1e3:.2f} | {1 / median:.0f} | {bandwidth} |")
    if PROMPTS:
        prompts(path, {f"llama.cpp {name}": gguf for name, gguf in files.items()})


main()

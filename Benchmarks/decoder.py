"""A decoder of half a billion parameters in 64 MB: correctness, memory, and speed beside the disk.

    Benchmarks/run decoder [--limit 64] [--texts 6] [--generate]

The checkpoint has the shape of Qwen2-0.5B and random weights, because no real one of that size is
available offline. Its tokenizer is trained on local texts. The checkpoint is made once under .cache (1 GB).
vdsq-run streams its layers within --memory-budget, inside a cgroup of the same size if one can be made, with
nothing of the file in the page cache at first. Each text is a pass over all layers, so the sequential speed
of the disk is the limit. Then vdsq generates with layers of four bits, within 64, 192 and 320 MiB, and without a
limit."""
import argparse
import json
import mmap
import os
import re
import statistics
import subprocess
import time

import numpy as np

from programs import CACHE, VDSQ, VDSQ_RUN, evict, limited, lines, measured
from sentences import sentences

parser = argparse.ArgumentParser()
parser.add_argument("--limit", type=int, default=64, help="MiB")
parser.add_argument("--texts", type=int, default=6)
parser.add_argument("--generate", action="store_true", help="generation alone")
arguments = parser.parse_args()
FOLDER, MODEL = CACHE / "decoder-0.5b", CACHE / "decoder-0.5b.vdsq"
TEXTS = [t for t in sentences() if 20 < len(t) < 90 and "\n" not in t][:arguments.texts]


def checkpoint():
    """Qwen2's architecture in bf16 and a byte-level tokenizer."""
    import torch
    import transformers
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    text = subprocess.run(["apt-cache", "dumpavail"], capture_output=True, text=True).stdout
    corpus = re.findall(r"^Description.*: (.+)$", text, re.M) + sentences()
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.train_from_iterator(corpus, trainers.BpeTrainer(
        vocab_size=151_643, show_progress=False, initial_alphabet=pre_tokenizers.ByteLevel.alphabet()))
    torch.manual_seed(0)
    config = transformers.Qwen2Config(
        vocab_size=151_936, hidden_size=896, intermediate_size=4864, num_hidden_layers=24, num_attention_heads=14,
        num_key_value_heads=2, max_position_embeddings=32_768, tie_word_embeddings=True, rope_theta=1e6)
    model = transformers.Qwen2ForCausalLM(config).to(torch.bfloat16)
    model.save_pretrained(FOLDER)
    tokenizer.save(str(FOLDER / "tokenizer.json"))


def reference(texts):
    """The states of transformers in fp32, for the same weights."""
    import torch
    import transformers
    from tokenizers import Tokenizer
    transformers.utils.logging.disable_progress_bar()
    tokenizer = Tokenizer.from_file(str(FOLDER / "tokenizer.json"))
    model = transformers.AutoModel.from_pretrained(FOLDER, dtype=torch.float32).eval()
    with torch.inference_mode():
        return np.stack([model(torch.tensor([tokenizer.encode(t).ids])).last_hidden_state[0, -1].numpy() for t in texts])


def sequential(path, count):
    """Bytes per second of reading the first `count` bytes of a file in order, by the faster of two ways."""
    rates = []
    for direct in (0, os.O_DIRECT):
        evict(path)
        descriptor = os.open(path, os.O_RDONLY | direct)
        buffer, done, start = mmap.mmap(-1, 8 << 20), 0, time.perf_counter()
        while done < count and (n := os.preadv(descriptor, [buffer], done)):
            done += n
        rates.append(done / (time.perf_counter() - start))
        os.close(descriptor)
    return max(rates)


def classify():
    """Texts, each a pass over all layers."""
    if not MODEL.exists():
        subprocess.run([VDSQ, "convert", FOLDER, "-o", MODEL, "-q", "--force"], check=True)
    sections = json.loads(subprocess.run([VDSQ, "inspect", MODEL, "--json"], check=True, capture_output=True).stdout)["sections"]
    layers = sum(s["bytes"] for s in sections if s["name"].startswith("layer"))
    data = "".join(text + "\n" for text in TEXTS).encode()
    command = [VDSQ_RUN, str(MODEL), "--labels", "weather,money,software,music", "--max-tokens", "64"]
    budget = ["--memory-budget", f"{arguments.limit}M"]

    wanted, _, whole = measured(command, data)
    evict(MODEL)
    out, _, peak = measured(command + budget, data)
    assert out == wanted, "answers under the budget are others"
    print(f"{MODEL.stat().st_size / 1e6:.0f} MB file, layers {layers / 1e6:.0f} MB; {len(TEXTS)} texts, one pass over all layers each.\n")
    vectors = [json.loads(line)["embedding"] for line in subprocess.run(
        [VDSQ, "embed", MODEL, "--field", "text", "--max-tokens", "64"], input=lines(TEXTS), check=True,
        capture_output=True).stdout.splitlines()]
    states = reference(TEXTS)
    cosines = [float(a @ b / np.linalg.norm(a) / np.linalg.norm(b)) for a, b in zip(np.array(vectors), states)]
    print(f"cosine to transformers' fp32 states: {min(cosines):.4f} at least, {statistics.mean(cosines):.4f} on average")
    print(f"answers with --memory-budget {arguments.limit}M are those of the whole map, digit for digit\n")

    # The cost of a pass: additional time divided by additional texts, so that the start and the passes over
    # labels cancel.
    few, many = (command + budget, data), (command + budget, data * 3)
    times, rates, cgroup = [], [], None
    for _ in range(7):
        rates.append(sequential(MODEL, layers))
        taken = []
        for cmd, texts in (few, many):
            evict(MODEL)
            inside = limited(cmd, texts, arguments.limit << 20)
            if inside is None:
                taken.append(measured(cmd, texts)[1])
            else:
                assert inside.output == (wanted if texts == data else wanted * 3), "answers inside the cgroup are others"
                cgroup = inside.peak
                taken.append(inside.seconds)
        times.append((taken[1] - taken[0]) / (2 * len(TEXTS)))
    rate, seconds = statistics.median(rates), statistics.median(times)
    # In turns, because the speed of a shared disk changes from one second to the next.
    shares = sorted(layers / t / r for t, r in zip(times, rates))
    print("| | |\n|---|---|")
    print(f"| peak RSS, whole map | {whole / 1e6:.0f} MB |")
    print(f"| peak RSS with --memory-budget {arguments.limit}M ({arguments.limit * 1.048576:.1f} MB) | {peak / 1e6:.1f} MB |")
    print(f"| cgroup of {arguments.limit} MiB | " + ("could not be made here |" if cgroup is None else
          f"held; most charged, the page cache's share included: {cgroup / 1e6:.1f} MB |"))
    print(f"| the disk in sequence | {rate / 1e6:.0f} MB/s |")
    print(f"| a pass | {seconds * 1e3:.0f} ms, {layers / seconds / 1e6:.0f} MB/s |")
    print(f"| share of the disk's speed, medians of turns | {statistics.median(shares):.0%}, from {shares[0]:.0%} to {shares[-1]:.0%} |")


def generate():
    """Tokens one after another, with layers of four bits."""
    model = CACHE / "decoder-0.5b-int4.vdsq"
    if not model.exists():
        subprocess.run([VDSQ, "convert", FOLDER, "-o", model, "-q", "--weights", "int4", "--rounding", "nearest",
                        "--no-bases"], check=True)
    inspected = subprocess.run([VDSQ, "inspect", model, "--json"], check=True, capture_output=True).stdout
    sections = json.loads(inspected)["sections"]
    read = sum(s["bytes"] for s in sections if s["name"].startswith("layer") or s["name"] == "embeddings")
    prompt = (TEXTS[0] + "\n").encode()

    def generated(tokens, limit=None):
        """Output, seconds and peak bytes of a text with so many tokens behind it."""
        options = [] if limit is None else ["--memory-budget", f"{limit}M"]
        command = [VDSQ, "generate", str(model), "--max-tokens", str(tokens), "--context", "64", "--json", *options]
        evict(model)
        inside = None if limit is None else limited(command, prompt, limit << 20)
        if inside is None:
            return measured(command, prompt)
        return inside.output, inside.seconds, inside.peak

    wanted = json.loads(generated(9)[0])["text"]
    print(f"\n| {read / 1e6:.0f} MB are read for a token | s per token | MB/s | share of the disk's speed | peak, MB |"
          "\n|---|---|---|---|---|")
    for limit in (64, 192, 320, None):
        rows = []
        for _ in range(3):
            rate = sequential(model, read)
            (_, one, _), (out, many, peak) = generated(1, limit), generated(9, limit)
            assert json.loads(out)["text"] == wanted, "another text within the budget"
            rows.append(((many - one) / 8, read / ((many - one) / 8) / rate, peak))
        seconds, share, peak = (statistics.median(figures) for figures in zip(*rows))
        name = "without a limit" if limit is None else f"cgroup and budget of {limit} MiB"
        print(f"| {name} | {seconds:.3f} | {read / seconds / 1e6:.0f} | {share:.0%} | {peak / 1e6:.1f} |", flush=True)


if not (FOLDER / "model.safetensors").exists():
    checkpoint()
if not arguments.generate:
    classify()
generate()

"""Compares `vdsq plan` with the peak memory of `vdsq classify`, over a grid of settings, with texts of the
maximum length.

    Benchmarks/run plan [MODEL ...] [--tokens 16,64,256] [--batches 0,1,4]

The last column is the excess of the plan over the measured peak (VmHWM of the whole process). The aim is
between 0% and 5%. MODELs are .vdsq files; by default MiniLM in int8, with fp16 weights, and compressed. A batch of 0
stands for the default."""
import argparse
import itertools
import json
import subprocess

from programs import CACHE, CHECKPOINT, VDSQ, measured, model


def numbers(text):
    return [int(number) for number in text.split(",")]


parser = argparse.ArgumentParser()
parser.add_argument("models", nargs="*")
parser.add_argument("--tokens", type=numbers, default=[16, 64, 256])
parser.add_argument("--batches", type=numbers, default=[0, 1, 4])
arguments = parser.parse_args()
paths = arguments.models
if not paths:
    compressed = CACHE / "minilm-compressed.vdsq"
    if not compressed.exists():
        subprocess.run([VDSQ, "convert", CHECKPOINT, "-o", compressed, "-q", "--weights", "fp32", "--compress"],
                       check=True)
    paths = [model("int8"), model("fp16"), str(compressed)]
shares = []
print("| model | policy | max tokens | batch | threads | plan, MB | measured, MB | above |\n|---|---|---|---|---|---|---|---|")
for path, tokens, batch, threads in itertools.product(paths, arguments.tokens, arguments.batches, (1, 2)):
    settings = ["--max-tokens", str(tokens), "--threads", str(threads)] + (["--batch", str(batch)] if batch else [])
    plan = json.loads(subprocess.run([VDSQ, "plan", path, "--json", *settings], check=True, capture_output=True).stdout)
    # Texts of the maximum length, of different words.
    words = [f"w{i}{chr(97 + i % 26)}" for i in range(400)]
    texts = "".join(" ".join(words[(i * 7 + j) % 400] for j in range(tokens)) + "\n" for i in range(max(3, min(60, 16384 // tokens)))).encode()
    answers = set()
    for policy in plan["policies"]:
        name = policy["policy"]
        out, _, peak = measured([VDSQ, "classify", path, "--labels", "a,b", "--quiet", "--memory-policy", name,
                                 *settings], texts)
        answers.add(out)
        share = policy["peak_bytes"] / peak - 1
        shares.append(share)
        print(f"| {path.rsplit('/', 1)[-1]} | {name} | {tokens} | {batch or ''} | {threads} | "
              f"{policy['peak_bytes'] / 2**20:.1f} | {peak / 2**20:.1f} | {share * 100:+.1f}% |", flush=True)
    assert len(answers) == 1, "policies answer differently"
print(f"\n{len(shares)} settings: from {min(shares) * 100:+.1f}% to {max(shares) * 100:+.1f}%, "
      f"{sum(s < 0 for s in shares)} below, {sum(s > 0.05 for s in shares)} more than 5% above.")

"""Vocabulary bases: time and peak memory beside numpy.linalg.pinv, and the order of tokens by int8
bases compared with float64."""
import json
import pathlib
import statistics
import subprocess
import sys
import tempfile

import numpy as np
from safetensors.numpy import load_file

from programs import CHECKPOINT, VDSQ, measured
from sentences import OBJECTS, QUESTIONS, SUBJECTS, VERBS

SHAPES = [(30_522, 384, "48M"), (50_257, 768, "64M"), (151_936, 896, "64M"), (128_256, 2_048, "160M")]
PINV = "import numpy as np, sys; np.save(sys.argv[2], np.linalg.pinv(np.load(sys.argv[1])).T[:64])"
quick = "--quick" in sys.argv


def head(path, rows, columns):
    """A head with directions as uneven as trained ones: random rows times a random mixture."""
    rng = np.random.default_rng(0)
    mix = rng.normal(size=(columns, columns)) / columns ** 0.5 + 0.3 * np.eye(columns)
    array = np.lib.format.open_memmap(path, "w+", np.float32, (rows, columns))
    for i in range(0, rows, 8192):
        n = min(8192, rows - i)
        array[i:i + n] = rng.standard_normal((n, columns), dtype=np.float32) @ mix.astype(np.float32)
    array.flush()


def speed(folder):
    print("| head | program | budget | s | peak RSS, MB | ahead |")
    print("|---|---|---|---|---|---|")
    for rows, columns, budget in SHAPES[:2] if quick else SHAPES:
        source = folder / "head.npy"
        head(source, rows, columns)
        command = [VDSQ, "bases", "--head", source, "-o", folder / "b.vdsq", "--force", "-q", "--memory-budget"]
        ours = [measured([*command, budget]) for _ in range(3)]
        seconds = statistics.median(x[1] for x in ours)
        peak = max(x[2] for x in ours)
        theirs = measured([sys.executable, "-c", PINV, source, folder / "pinv.npy"])
        shape = f"{rows:,} x {columns:,}"
        print(f"| {shape} | vdsq bases | {budget} | {seconds:.1f} | {peak / 1e6:.0f} | {theirs[1] / seconds:.1f}x |")
        print(f"| {shape} | numpy.linalg.pinv, float32 | | {theirs[1]:.1f} | {theirs[2] / 1e6:.0f} | |", flush=True)


def agreement(folder):
    """MiniLM's word embeddings as a head and states of real texts: the ten best tokens by int8 bases
    compared with those by float64 bases."""
    weights = load_file(pathlib.Path(CHECKPOINT) / "model.safetensors")
    words = next(v for k, v in weights.items() if k.endswith("word_embeddings.weight")).astype(np.float32)
    np.save(folder / "head.npy", words)
    texts = [f"{s} {v} {o}." for s in SUBJECTS for v in VERBS for o in OBJECTS][::7][:900] + QUESTIONS
    subprocess.run([VDSQ, "embed", ".cache/minilm.vdsq", "-o", folder / "states.npy"],
                   input="\n".join(texts).encode(), check=True)
    states = np.load(folder / "states.npy")
    rng = np.random.default_rng(1)
    kinds = {"real texts": states, "random": rng.normal(size=(1000, words.shape[1])).astype(np.float32)}
    exact = np.linalg.pinv(words.astype(np.float64)).T
    exact /= np.linalg.norm(exact, axis=1, keepdims=True)
    print("\n| bases | states | top 10 as in float64 |\n|---|---|---|")
    for kind in ["int8", "fp16"]:
        subprocess.run([VDSQ, "bases", "--head", folder / "head.npy", "-o", folder / "b.vdsq", "--force", "-q",
                        "--weights", kind], check=True, stdout=subprocess.DEVNULL)
        for name, hidden in kinds.items():
            np.save(folder / "h.npy", hidden)
            run = subprocess.run([VDSQ, "logits", folder / "b.vdsq", "--hidden", folder / "h.npy", "--json"],
                                 capture_output=True, check=True)
            ours = [{x["id"] for x in json.loads(line)} for line in run.stdout.splitlines()]
            wanted = np.argpartition(-(hidden.astype(np.float64) @ exact.T), 10, axis=1)[:, :10]
            same = np.mean([len(a & set(b.tolist())) / 10 for a, b in zip(ours, wanted, strict=True)])
            print(f"| {kind} | {len(hidden)} {name} | {same:.2%} |", flush=True)


with tempfile.TemporaryDirectory() as scratch:
    speed(pathlib.Path(scratch))
    agreement(pathlib.Path(scratch))

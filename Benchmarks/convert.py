"""Converts a synthetic sharded checkpoint, without bases, beside cp of the same files: time, peak memory,
and whether the bytes are the same each time. Argument: size in GB (default 4)."""
import hashlib
import json
import pathlib
import statistics
import subprocess
import sys
import tempfile

import numpy as np

from programs import ROOT, VDSQ, measured

gigabytes = float(sys.argv[1]) if len(sys.argv) > 1 else 4
VOCABULARY, HIDDEN, INNER, HEADS = 380, 2048, 5504, 16
SHARD = 1 << 30
PARAMETERS = 4 * HIDDEN * HIDDEN + 3 * HIDDEN * INNER
LAYERS = max(1, round(gigabytes * 1e9 / 2 / PARAMETERS))


def shapes():
    yield "model.embed_tokens.weight", (VOCABULARY, HIDDEN)
    yield "model.norm.weight", (HIDDEN,)
    for i in range(LAYERS):
        for part in "qkvo":
            yield f"model.layers.{i}.self_attn.{part}_proj.weight", (HIDDEN, HIDDEN)
        for part, shape in [("gate", (INNER, HIDDEN)), ("up", (INNER, HIDDEN)), ("down", (HIDDEN, INNER))]:
            yield f"model.layers.{i}.mlp.{part}_proj.weight", shape
        for part in ("input_layernorm", "post_attention_layernorm"):
            yield f"model.layers.{i}.{part}.weight", (HIDDEN,)


def write(folder):
    """Writes shards as transformers does. The elements repeat one random block."""
    noise = (np.random.default_rng(0).standard_normal(1 << 22, dtype=np.float32) * 0.02).astype(np.float16)
    shards, size = [[]], 0
    for name, shape in shapes():
        count = int(np.prod(shape)) * 2
        if size + count > SHARD:
            shards.append([])
            size = 0
        shards[-1].append((name, shape, count))
        size += count
    index = {}
    for i, shard in enumerate(shards):
        header, offset = {}, 0
        for name, shape, count in shard:
            header[name] = {"dtype": "F16", "shape": shape, "data_offsets": [offset, offset + count]}
            offset += count
            index[name] = file = f"model-{i + 1:05}-of-{len(shards):05}.safetensors"
        text = json.dumps(header).encode()
        with open(folder / file, "wb") as out:
            out.write(len(text).to_bytes(8, "little") + text)
            for _, _, count in shard:
                for start in range(0, count // 2, len(noise)):
                    out.write(noise[:min(len(noise), count // 2 - start)].tobytes())
    (folder / "model.safetensors.index.json").write_text(json.dumps({"weight_map": index}))
    (folder / "config.json").write_text(json.dumps({
        "model_type": "llama", "vocab_size": VOCABULARY, "hidden_size": HIDDEN, "intermediate_size": INNER,
        "num_hidden_layers": LAYERS, "num_attention_heads": HEADS, "max_position_embeddings": 2048,
        "rms_norm_eps": 1e-5, "tie_word_embeddings": True}))
    tokenizer = ROOT / "Tests/Fixtures/language-models/llama/tokenizer.json"
    (folder / "tokenizer.json").write_bytes(tokenizer.read_bytes())
    return sorted(folder.glob("*.safetensors"))


def digest(path):
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


with tempfile.TemporaryDirectory(dir=ROOT / ".cache") as scratch:
    folder, copy, out = pathlib.Path(scratch) / "model", pathlib.Path(scratch) / "copy", f"{scratch}/m.vdsq"
    folder.mkdir()
    files = write(folder)
    total = sum(f.stat().st_size for f in files)
    rows, digests = {}, {}
    for _ in range(3):
        # In turns, so that a slow moment affects all programs.
        copy.mkdir()
        rows.setdefault("cp", []).append(measured(["cp", *files, copy]))
        subprocess.run(["rm", "-r", copy], check=True)
        for weights in ["int8", "fp16"]:
            command = [VDSQ, "convert", folder, "-o", out, "--force", "-q", "--no-bases", "--weights", weights]
            rows.setdefault(f"vdsq convert, {weights}", []).append(measured(command))
            digests.setdefault(weights, set()).add(digest(out))
    print(f"{total / 1e9:.1f} GB in {len(files)} files, {LAYERS} layers; medians of 3, in turns.\n")
    print("| program | s | MB/s read | share of cp's speed | peak RSS, MB | same bytes |\n|---|---|---|---|---|---|")
    base = statistics.median(x[1] for x in rows["cp"])
    for name, runs in rows.items():
        seconds = statistics.median(x[1] for x in runs)
        same = "" if name == "cp" else "yes" if len(digests[name[14:]]) == 1 else "NO"
        print(f"| {name} | {seconds:.2f} | {total / 1e6 / seconds:.0f} | {base / seconds:.0%} | "
              f"{max(x[2] for x in runs) / 1e6:.0f} | {same} |")

#!/usr/bin/env python3
"""Writes Tests/Fixtures/gguf-blocks.gguf: for every block type of GGUF that vdsq reads, and for BF16,
two rows of random bytes with sound scales in a tensor named as the type, and what the reference
implementation decodes of them in an F32 tensor "TYPE.decoded". Needs: pip install gguf."""
import pathlib

import gguf
import numpy as np

PATH = pathlib.Path(__file__).parents[2] / "Tests/Fixtures/gguf-blocks.gguf"
COLUMNS = 512
# Where a block's fp16 numbers lie: random bytes could make them infinite or no numbers.
HALVES = {"Q4_0": [0], "Q4_1": [0, 2], "Q5_0": [0], "Q5_1": [0, 2], "Q8_0": [0],
          "Q4_K": [0, 2], "Q6_K": [208]}

writer = gguf.GGUFWriter(PATH, "llama")


def add(name, kind, raw):
    writer.add_tensor(name, raw, raw_dtype=kind)
    decoded = gguf.quants.dequantize(raw, kind).astype(np.float32)
    assert np.isfinite(decoded).all()
    writer.add_tensor(f"{name}.decoded", np.ascontiguousarray(decoded))


for name, halves in HALVES.items():
    kind = gguf.GGMLQuantizationType[name]
    length, size = gguf.GGML_QUANT_SIZES[kind]
    # A generator a type, so that a new row leaves the others' bytes as they are.
    rng = np.random.default_rng(kind.value)
    raw = rng.integers(0, 256, (2, COLUMNS // length, size), dtype=np.uint8)
    for at in halves:
        numbers = rng.normal(size=(2, COLUMNS // length)).astype(np.float16)
        raw[..., at:at + 2] = numbers[..., None].view(np.uint8)
    add(name, kind, raw.reshape(2, -1))
kind = gguf.GGMLQuantizationType.BF16
numbers = np.random.default_rng(kind.value).normal(size=(2, COLUMNS)).astype(np.float32)
add("BF16", kind, gguf.quants.quantize(numbers, kind))
writer.write_header_to_file()
writer.write_kv_data_to_file()
writer.write_tensors_to_file()
writer.close()
print(PATH.name, PATH.stat().st_size)

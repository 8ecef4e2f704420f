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
HALVES = {"Q4_0": [0], "Q4_1": [0, 2], "Q5_0": [0], "Q5_1": [0, 2], "Q8_0": [0], "Q2_K": [80, 82],
          "Q3_K": [108], "Q4_K": [0, 2], "Q5_K": [0, 2], "Q6_K": [208], "IQ4_NL": [0], "IQ4_XS": [0],
          "TQ1_0": [52], "TQ2_0": [64], "MXFP4": [], "NVFP4": []}
# The largest number, its negative, the smallest subnormal number, zero and negative zero, in one row of
# blocks of their own.
EXTREMES = np.array([65504, -65504, 6e-8, 0, -0.0], np.float16)

writer = gguf.GGUFWriter(PATH, "llama")


def add(name, kind, raw, decoded=None):
    writer.add_tensor(name, raw.copy(), raw_dtype=kind)  # The writer keeps the array.
    if decoded is None:
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
    if name == "MXFP4":  # the exponent of a block: both subnormal ones, and up to the largest finite weights
        raw[..., 0] = rng.permutation(np.r_[0, 1, 2, 254 - 4, rng.integers(64, 192, 28)]).reshape(2, -1)
    add(name, kind, raw.reshape(2, -1))
    for i, at in enumerate(halves):
        numbers = np.resize(np.roll(EXTREMES, i), (2, COLUMNS // length)).copy()
        raw[..., at:at + 2] = numbers[..., None].view(np.uint8)
    if halves:
        add(f"{name}.extreme", kind, raw.reshape(2, -1))
# The package has no code for Q8_K: float32 d, 256 int8, 16 sums that dequantize_row_q8_K does not read.
kind = gguf.GGMLQuantizationType.Q8_K
rng = np.random.default_rng(kind.value)
raw = rng.integers(0, 256, (2, COLUMNS // 256, 292), dtype=np.uint8)
d = np.array([[rng.normal(), 1e36], [-1e-42, rng.normal()]], np.float32)
raw[..., :4] = d[..., None].view(np.uint8)
add("Q8_K", kind, raw.reshape(2, -1), (d[..., None] * raw[..., 4:260].view(np.int8)).reshape(2, -1))
kind = gguf.GGMLQuantizationType.BF16
numbers = np.random.default_rng(kind.value).normal(size=(2, COLUMNS)).astype(np.float32)
add("BF16", kind, gguf.quants.quantize(numbers, kind))
writer.write_header_to_file()
writer.write_kv_data_to_file()
writer.write_tensors_to_file()
writer.close()
print(PATH.name, PATH.stat().st_size)

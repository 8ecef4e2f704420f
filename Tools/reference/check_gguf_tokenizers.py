#!/usr/bin/env python3
"""Compares vdsq's token ids with those that llama.cpp's repository records for its vocabularies.

    Tools/check-tokenizers FOLDER     runs this for every ggml-vocab-NAME.gguf of the folder

Beside a vocabulary lie its texts, NAME.gguf.inp, separated by lines __ggml_vocab_test__, and their ids
without special tokens, NAME.gguf.out, a line per text. A unigram vocabulary without them is compared with
Hugging Face's tokenizers. Every vocabulary is put into a tiny Llama, as the files have no model.
"""
import base64
import json
import pathlib
import subprocess
import sys
import tempfile

import gguf
import numpy as np
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers

import nasty_texts

VDSQ, FOLDER = sys.argv[1], pathlib.Path(sys.argv[2])
SEPARATOR = "\n__ggml_vocab_test__\n"
WIDTH = 8


def graft(source, path):
    """Writes a Llama with the tokenizer of a file; returns the tokenizer's metadata."""
    reader = gguf.GGUFReader(source)
    writer = gguf.GGUFWriter(path, "llama")
    metadata = {}
    for key, field in reader.fields.items():
        if not key.startswith("tokenizer.") and key != "general.name":
            continue
        metadata[key] = field.contents()
        sub = field.types[1] if len(field.types) > 1 else None
        writer.add_key_value(key, metadata[key], field.types[0], sub)
    rows = len(metadata["tokenizer.ggml.tokens"])
    for name, value in dict(context_length=4096, embedding_length=WIDTH, block_count=1, feed_forward_length=WIDTH,
                            head_count=1, layer_norm_rms_eps=1e-5).items():
        getattr(writer, f"add_{name}")(value)
    random = np.random.default_rng(0)
    one = np.ones(WIDTH, np.float32)
    writer.add_tensor("token_embd.weight", random.normal(size=(rows, WIDTH)).astype(np.float16))
    writer.add_tensor("output_norm.weight", one)
    for name in ("attn_q", "attn_k", "attn_v", "attn_output", "ffn_gate", "ffn_up", "ffn_down"):
        writer.add_tensor(f"blk.0.{name}.weight", random.normal(size=(WIDTH, WIDTH)).astype(np.float32))
    for name in ("attn_norm", "ffn_norm"):
        writer.add_tensor(f"blk.0.{name}.weight", one)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return metadata


def unigram(metadata):
    """XLM-RoBERTa's tokenizer with a file's vocabulary."""
    tokens, scores = metadata["tokenizer.ggml.tokens"], metadata["tokenizer.ggml.scores"]
    tok = Tokenizer(models.Unigram(list(zip(tokens, scores)), metadata["tokenizer.ggml.unknown_token_id"], False))
    charsmap = bytes(x & 255 for x in metadata["tokenizer.ggml.precompiled_charsmap"])
    tok.normalizer = normalizers.Precompiled(charsmap)
    # SentencePiece and llama.cpp split at spaces, to which the normalizer maps most whitespace.
    tok.pre_tokenizer = pre_tokenizers.Sequence([
        pre_tokenizers.Split(" ", "removed"), pre_tokenizers.Metaspace(split=False)])
    return tok


def ids(model, texts):
    lines = "\n".join(json.dumps({"text": x}) for x in texts)
    run = subprocess.run([VDSQ, "embed", model, "--tokens", "--field", "text", "--max-tokens", "4096"],
                         input=lines, capture_output=True, text=True, check=True)
    return [json.loads(line)["tokens"] for line in run.stdout.splitlines()]


def check(source, folder):
    metadata = graft(source, folder / "m.gguf")
    subprocess.run([VDSQ, "convert", folder / "m.gguf", "-o", folder / "m.vdsq", "--force", "-q", "--no-bases"],
                   check=True)
    golden = source.with_name(source.name + ".out")
    if golden.exists():
        texts = source.with_name(source.name + ".inp").read_text().split(SEPARATOR)
        wanted = [[int(x) for x in line.split()] for line in golden.read_text().splitlines()]
        # An empty text at the end has no line.
        wanted += [[]] * (len(texts) - len(wanted))
        assert len(texts) == len(wanted)
    elif metadata["tokenizer.ggml.model"] == "t5":
        tok = unigram(metadata)
        texts = [x for x in nasty_texts.generate(1500, seed=11) if "<" not in x]
        wanted = [tok.encode(x).ids for x in texts]
    else:
        return True
    # The tokens around a text are those of the empty one.
    frame, *ours = ids(folder / "m.vdsq", ["", *texts])
    before = metadata.get(
        "tokenizer.ggml.add_bos_token", metadata["tokenizer.ggml.model"] in ("llama", "gemma4", "bert"))
    first = int(bool(before) and len(frame) > 0)
    ours = [x[first:len(x) - (len(frame) - first)] for x in ours]
    wrong = [(text, a, b) for text, a, b in zip(texts, ours, wanted) if a != b]
    print(f"{source.name}: {len(texts) - len(wrong)} of {len(texts)} texts identical")
    for text, a, b in wrong[:3]:
        print(f"  {text!r}\n    ours   {a}\n    theirs {b}")
    return not wrong and len(ours) == len(texts)


def main():
    good = True
    with tempfile.TemporaryDirectory() as folder:
        for source in sorted(FOLDER.glob("*.gguf")):
            good &= check(source, pathlib.Path(folder))
    sys.exit(0 if good else 1)


main()

"""Writes the seed corpus of the fuzzers, Tests/Fuzzing/Seeds: the smallest files that reach every part of a reader.
Needs torch, and vdsq built."""
import json
import pathlib
import shutil
import struct
import subprocess
import tempfile

import numpy as np
import torch

ROOT = pathlib.Path(__file__).resolve().parents[2]
SEEDS = ROOT / "Tests/Fuzzing/Seeds"
VDSQ = ROOT / ".build/release/vdsq"
rng = np.random.default_rng(0)


def seed(target, name, data):
    folder = SEEDS / target
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(data)


def safetensors(tensors):
    header, body = {}, b""
    for name, (dtype, x) in tensors.items():
        raw = x.tobytes()
        header[name] = {"dtype": dtype, "shape": x.shape, "data_offsets": [len(body), len(body) + len(raw)]}
        body += raw
    text = json.dumps(header, separators=(",", ":")).encode()
    return struct.pack("<Q", len(text)) + text + body


def floats(*shape):
    return (rng.standard_normal(shape) * 0.1).astype(np.float32)


# Tokenizers: every kind, and most steps.
added = [{"id": 0, "content": "<s>", "special": True, "normalized": False, "lstrip": True}]
template = {"type": "TemplateProcessing", "single": [
    {"SpecialToken": {"id": "<s>", "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}}]}
words = ["[UNK]", "[CLS]", "[SEP]", "a", "bad", "##x", "the", "x", "12", "!"]
wordpiece = {"added_tokens": [], "normalizer": {"type": "BertNormalizer", "lowercase": True},
             "pre_tokenizer": {"type": "BertPreTokenizer"},
             "post_processor": {"type": "BertProcessing", "sep": ["[SEP]", 2], "cls": ["[CLS]", 1]},
             "model": {"type": "WordPiece", "unk_token": "[UNK]", "vocab": {w: i for i, w in enumerate(words)}}}
pieces = ["<s>", "\u2581", "a", "b", "d", "\u2581a", "ba", "bad", "x", "\u2581x", "<0x41>", "<unk>"]
bpe = {"added_tokens": added, "post_processor": template,
       "normalizer": {"type": "Sequence", "normalizers": [
           {"type": "NFKC"}, {"type": "Lowercase"}, {"type": "StripAccents"}, {"type": "Nmt"},
           {"type": "Strip", "strip_left": True, "strip_right": True}, {"type": "Prepend", "prepend": "\u2581"},
           {"type": "Replace", "pattern": {"String": " "}, "content": "\u2581"}]},
       "pre_tokenizer": None,
       "model": {"type": "BPE", "vocab": {p: i for i, p in enumerate(pieces)}, "byte_fallback": True,
                 "merges": [["\u2581", "a"], ["b", "a"], ["ba", "d"], ["\u2581", "x"]], "unk_token": "<unk>"}}
letters = ["<s>", "\u0120", "a", "b", "d", "x", "ba", "bad", "\u0120a", "!"]
bytelevel = {"added_tokens": added, "normalizer": None, "post_processor": template,
             "pre_tokenizer": {"type": "Sequence", "pretokenizers": [
                 {"type": "Split", "pattern": {"Regex": "(?i:'s|'t)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}{1,3}|\\s+(?!\\S)|\\s+"},
                  "behavior": "Isolated", "invert": False},
                 {"type": "Digits", "individual_digits": True}, {"type": "Punctuation", "behavior": "Contiguous"},
                 {"type": "ByteLevel", "add_prefix_space": False, "use_regex": True}]},
             "model": {"type": "BPE", "vocab": {p: i for i, p in enumerate(letters)}, "ignore_merges": True,
                       "merges": ["b a", "ba d", "\u0120 a"]}}
unigram = {"added_tokens": added, "post_processor": template,
           "normalizer": {"type": "Precompiled", "precompiled_charsmap": "BAAAAAAAAAA="},
           "pre_tokenizer": {"type": "Metaspace", "replacement": "\u2581", "prepend_scheme": "always", "split": True},
           "model": {"type": "Unigram", "unk_id": 1, "vocab": [
               ["<s>", 0.0], ["<unk>", 0.0], ["\u2581", -2.5], ["a", -3.1], ["\u2581bad", -4.0], ["x", -5.25]]}}
tokenizers = {"wordpiece": wordpiece, "bpe": bpe, "bytelevel": bytelevel, "unigram": unigram}
for name, tokenizer in tokenizers.items():
    seed("tokenizer", name, json.dumps(tokenizer, ensure_ascii=False).encode())

seed("safetensors", "floats", safetensors(
    {"a": ("F32", floats(2, 3)), "b": ("F16", floats(4).astype(np.float16)), "c": ("F64", np.ones((1, 2))),
     "d": ("BF16", np.zeros((2, 2), np.uint16)), "ids": ("I64", np.arange(3))}))
seed("safetensors", "int8", safetensors(
    {"w.weight": ("I8", np.arange(6, dtype=np.int8).reshape(2, 3)), "w.weight_scale": ("F32", floats(2, 1)),
     "v.weight": ("I8", np.ones((2, 2), np.int8)), "v.SCB": ("F32", floats(2))}))

with tempfile.TemporaryDirectory() as scratch:
    path = pathlib.Path(scratch) / "m.bin"
    shared = torch.zeros(2, 3)
    torch.save({"a": shared, "b": shared[1], "c": torch.ones(4, dtype=torch.float16),
                "d": torch.nn.Parameter(torch.ones(2, 2, dtype=torch.bfloat16)), "i": torch.arange(3)}, path)
    seed("pytorch", "dictionary", path.read_bytes())
    torch.save(torch.nn.Linear(3, 2).state_dict(), path)
    seed("pytorch", "module", path.read_bytes())


def gguf(metadata, tensors):
    def text(s):
        return struct.pack("<Q", len(s.encode())) + s.encode()

    def value(v):
        if isinstance(v, bool):
            return struct.pack("<I?", 7, v)
        if isinstance(v, int):
            return struct.pack("<II", 4, v)
        if isinstance(v, float):
            return struct.pack("<If", 6, v)
        if isinstance(v, str):
            return struct.pack("<I", 8) + text(v)
        kind, body = (8, b"".join(map(text, v))) if isinstance(v[0], str) else (
            (6, struct.pack(f"<{len(v)}f", *v)) if isinstance(v[0], float) else (5, struct.pack(f"<{len(v)}i", *v)))
        return struct.pack("<IIQ", 9, kind, len(v)) + body

    out = b"GGUF" + struct.pack("<IQQ", 3, len(tensors), len(metadata))
    for key, v in metadata.items():
        out += text(key) + value(v)
    body = b""
    for name, (kind, shape, raw) in tensors.items():
        out += text(name) + struct.pack("<I", len(shape)) + struct.pack(f"<{len(shape)}Q", *reversed(shape))
        out += struct.pack("<IQ", kind, len(body))
        body += raw + bytes(-len(raw) % 32)
    return out + bytes(-len(out) % 32) + body


sizes = {"embedding_length": 8, "block_count": 1, "feed_forward_length": 16, "attention.head_count": 2,
         "context_length": 32}
kinds = [2, 3, 1, 1, 1, 1, 1, 1, 1, 1, 6, 2]
seed("gguf", "llama", gguf(
    {"general.architecture": "llama", **{f"llama.{k}": v for k, v in sizes.items()},
     "llama.attention.layer_norm_rms_epsilon": 1e-5, "tokenizer.ggml.model": "llama",
     "tokenizer.ggml.tokens": pieces, "tokenizer.ggml.scores": [float(-i) for i in range(len(pieces))],
     "tokenizer.ggml.token_type": kinds, "tokenizer.ggml.bos_token_id": 0},
    {"token_embd.weight": (0, (12, 8), floats(12, 8).tobytes()),
     "blk.0.attn_q.weight": (0, (8, 8), floats(8, 8).tobytes()),
     "q8": (8, (1, 32), rng.bytes(34)), "q4": (2, (1, 32), rng.bytes(18)), "q6k": (14, (1, 256), rng.bytes(210))}))
seed("gguf", "gpt2", gguf(
    {"general.architecture": "gpt2", **{f"gpt2.{k}": v for k, v in sizes.items()},
     "gpt2.attention.layer_norm_epsilon": 1e-5, "tokenizer.ggml.model": "gpt2", "tokenizer.ggml.pre": "llama-bpe",
     "tokenizer.ggml.tokens": letters, "tokenizer.ggml.merges": ["b a", "ba d", "\u0120 a"]},
    {"token_embd.weight": (1, (10, 8), floats(10, 8).astype(np.float16).tobytes())}))
seed("gguf", "bert", gguf(
    {"general.architecture": "bert", **{f"bert.{k}": v for k, v in sizes.items()},
     "bert.attention.layer_norm_epsilon": 1e-12, "bert.pooling_type": 1, "tokenizer.ggml.model": "bert",
     "tokenizer.ggml.tokens": ["[UNK]", "[CLS]", "[SEP]", "\u2581a", "x"], "tokenizer.ggml.cls_token_id": 1,
     "tokenizer.ggml.seperator_token_id": 2, "tokenizer.ggml.unknown_token_id": 0},
    {"token_embd.weight": (0, (5, 8), floats(5, 8).tobytes()), "token_types.weight": (0, (1, 8), floats(1, 8).tobytes())}))
# Every block type, and tokenizers of every model; other values than those above must stay as they are.
own = np.random.default_rng(1)
TYPES = {2: (32, 18), 3: (32, 20), 6: (32, 22), 7: (32, 24), 8: (32, 34), 10: (256, 84), 11: (256, 110),
         12: (256, 144), 13: (256, 176), 14: (256, 210), 15: (256, 292), 20: (32, 18), 23: (256, 136), 34: (256, 54),
         35: (256, 66), 39: (32, 17), 40: (64, 36)}
one = {"token_embd.weight": (0, (16, 4), bytes(256))}


def llama_gguf(name, tokenizer, tensors=one):
    seed("gguf", name, gguf(
        {"general.architecture": "llama", **{f"llama.{k}": v for k, v in sizes.items()},
         "llama.attention.layer_norm_rms_epsilon": 1e-5, **{f"tokenizer.ggml.{k}": v for k, v in tokenizer.items()}},
        tensors))


llama_gguf("blocks", {"model": "llama", "tokens": ["a"], "scores": [0.0]},
           {f"t{kind:02}": (kind, (1, n), own.bytes(size)) for kind, (n, size) in TYPES.items()})
llama_gguf("t5", {
    "model": "t5", "tokens": ["<s>", "</s>", "<unk>", "\u2581", "a", "\u2581bad", "x", "12"], "token_type": [3, 3, 2, 1, 1, 1, 1, 5],
    "scores": [0.0, 0.0, 0.0, -2.5, -3.0, -4.0, -5.0, -1e4], "precompiled_charsmap": [4, 0, 0, 0, 0, 0, 0, 0],
    "remove_extra_whitespaces": True, "add_space_prefix": True})
llama_gguf("t5-spaces", {
    "model": "t5", "tokens": ["a", "</s>", "<unk>", "\u2581", "x"], "scores": [-1.0, 0.0, 0.0, -2.5, -4.0],
    "add_space_prefix": True, "add_eos_token": False})
llama_gguf("gemma4", {
    "model": "gemma4", "tokens": ["<bos>", "<unk>", "\u2581", "a", "b", "\u2581a", "<0x21>", "\n", "\n\n"],
    "token_type": [3, 2, 1, 1, 1, 1, 6, 1, 1], "merges": ["\u2581 a", "\n \n"], "bos_token_id": 0, "unknown_token_id": 1,
    "add_bos_token": True})
for pre in ["tekken", "deepseek-llm", "deepseek-v3", "kimi-k2", "superbpe", "bloom", "falcon", "afmoe", "exaone-moe", "youtu",
            "chameleon", "jais-2", "qwen2"]:
    llama_gguf(f"pre-{pre}", {"model": "gpt2", "pre": pre, "tokens": letters, "merges": ["b a", "ba d", "\u0120 a"],
                              "bos_token_id": 0})


def bert(folder, head=None):
    d, inner, v = 16, 32, len(words)
    t = {"embeddings.word_embeddings.weight": floats(v, d), "embeddings.position_embeddings.weight": floats(16, d),
         "embeddings.token_type_embeddings.weight": floats(1, d), "embeddings.LayerNorm.weight": np.ones(d, np.float32),
         "embeddings.LayerNorm.bias": floats(d)}
    p = "encoder.layer.0."
    for name, shape in [("attention.self.query", (d, d)), ("attention.self.key", (d, d)),
                        ("attention.self.value", (d, d)), ("attention.output.dense", (d, d)),
                        ("intermediate.dense", (inner, d)), ("output.dense", (d, inner))]:
        t[p + name + ".weight"], t[p + name + ".bias"] = floats(*shape), floats(shape[0])
    for name in ("attention.output.LayerNorm", "output.LayerNorm"):
        t[p + name + ".weight"], t[p + name + ".bias"] = np.ones(d, np.float32), floats(d)
    config = {}
    if head:
        # The head of transformers' class is on `bert.` names.
        t = {"bert." + k: x for k, x in t.items()}
        t["classifier.weight"], t["classifier.bias"] = floats(2, d), floats(2)
        if head == "SequenceClassification":
            t["bert.pooler.dense.weight"], t["bert.pooler.dense.bias"] = floats(d, d), floats(d)
        config = {"architectures": ["BertFor" + head]}
    write(folder, t, wordpiece, {**config, "model_type": "bert", "hidden_size": d, "num_hidden_layers": 1,
                                 "num_attention_heads": 2, "intermediate_size": inner, "vocab_size": v,
                                 "max_position_embeddings": 16, "type_vocab_size": 1, "hidden_act": "gelu"})


def llama(folder):
    d, inner, v = 16, 32, len(pieces)
    t = {"model.embed_tokens.weight": floats(v, d), "model.norm.weight": np.ones(d, np.float32)}
    p = "model.layers.0."
    for name, shape in [("self_attn.q_proj", (d, d)), ("self_attn.k_proj", (8, d)), ("self_attn.v_proj", (8, d)),
                        ("self_attn.o_proj", (d, d)), ("mlp.gate_proj", (inner, d)), ("mlp.up_proj", (inner, d)),
                        ("mlp.down_proj", (d, inner))]:
        t[p + name + ".weight"] = floats(*shape)
    t[p + "input_layernorm.weight"] = t[p + "post_attention_layernorm.weight"] = np.ones(d, np.float32)
    write(folder, t, bpe, {"model_type": "llama", "hidden_size": d, "num_hidden_layers": 1, "num_attention_heads": 2,
                           "num_key_value_heads": 1, "intermediate_size": inner, "vocab_size": v,
                           "max_position_embeddings": 32, "rms_norm_eps": 1e-5, "tie_word_embeddings": True})


def sentences(folder):
    """Several poolings, modules and prompts."""
    bert(folder)
    types = ["Transformer", "Pooling", "Dense", "LayerNorm", "Normalize"]
    paths = ["", "1_Pooling", "2_Dense", "3_LayerNorm", "4_Normalize"]
    (folder / "modules.json").write_text(json.dumps(
        [dict(idx=i, name=str(i), path=p, type=f"sentence_transformers.models.{t}")
         for i, (t, p) in enumerate(zip(types, paths))]))
    for path in paths[1:4]:
        (folder / path).mkdir()
    (folder / "1_Pooling/config.json").write_text(json.dumps(
        dict(pooling_mode=["cls", "weightedmean"], include_prompt=False)))
    (folder / "2_Dense/config.json").write_text(json.dumps(
        dict(in_features=32, out_features=6, bias=True, activation_function="torch.nn.modules.activation.GELU")))
    (folder / "2_Dense/model.safetensors").write_bytes(safetensors(
        {"linear.weight": ("F32", floats(6, 32)), "linear.bias": ("F32", floats(6))}))
    (folder / "3_LayerNorm/config.json").write_text(json.dumps(dict(dimension=6)))
    (folder / "3_LayerNorm/model.safetensors").write_bytes(safetensors(
        {"norm.weight": ("F32", floats(6)), "norm.bias": ("F32", floats(6))}))
    (folder / "config_sentence_transformers.json").write_text(json.dumps(
        dict(prompts=dict(query="the ", other="bad x "), default_prompt_name="query")))


def write(folder, tensors, tokenizer, config):
    folder.mkdir()
    (folder / "model.safetensors").write_bytes(safetensors({k: ("F32", x) for k, x in tensors.items()}))
    (folder / "tokenizer.json").write_text(json.dumps(tokenizer))
    (folder / "config.json").write_text(json.dumps(config))


with tempfile.TemporaryDirectory() as scratch:
    scratch = pathlib.Path(scratch)
    bert(scratch / "bert")
    llama(scratch / "llama")
    bert(scratch / "bert-texts", head="SequenceClassification")
    bert(scratch / "bert-tokens", head="TokenClassification")
    sentences(scratch / "bert-modules")
    for name, options in [("bert", []), ("llama", []), ("bert", ["--compress"]), ("llama", ["--weights", "fp16"]),
                          ("bert-texts", []), ("bert-tokens", []), ("bert-modules", [])]:
        out = scratch / "m.vdsq"
        subprocess.run([VDSQ, "convert", scratch / name, "-o", out, "-q", "--force", *options], check=True)
        data = out.read_bytes()
        seed("container", name + "".join(options).replace("--", "-"), data)
        for i in range(struct.unpack_from("<I", data, 32)[0]):
            encoding, offset, length, raw = struct.unpack_from("<4xIQQQ", data, 64 + 64 * i)[:4]
            if encoding == 1:
                seed("lz4", f"section{i}", struct.pack("<I", raw)[:3] + data[offset:offset + length])
    examples = scratch / "e.jsonl"
    examples.write_text("".join(json.dumps({"text": t, "label": l}) + "\n"
                                for t, l in [("a bad", "x"), ("the x", "y"), ("bad", "x"), ("12", "y")]))
    for method in ("prior", "calibration", "knn"):
        subprocess.run([VDSQ, "convert", scratch / "bert", "-o", scratch / "b.vdsq", "-q", "--force"], check=True)
        subprocess.run([VDSQ, "adapt", scratch / "b.vdsq", examples, "-o", scratch / "a.vdsa", "--method", method,
                        "--force"], check=True, stdout=subprocess.DEVNULL)
        seed("container", f"adapter-{method}", (scratch / "a.vdsa").read_bytes())
# Configuration files, a line for each (Tests/Fuzzing/SettingsTarget.swift).
encoder = {"model_type": "bert", "hidden_size": 4, "num_hidden_layers": 1, "num_attention_heads": 2,
           "intermediate_size": 8, "vocab_size": 8, "max_position_embeddings": 8, "type_vocab_size": 2, "hidden_act": "gelu"}
MODULE = "sentence_transformers.models."
kinds = [("", "Transformer"), ("1_Pooling", "Pooling"), ("2_Dense", "Dense"), ("3_LayerNorm", "LayerNorm"), ("4", "Normalize")]
modules = [{"idx": i, "name": str(i), "path": p, "type": MODULE + t} for i, (p, t) in enumerate(kinds)]
dense = {"in_features": 4, "out_features": 6, "bias": True, "activation_function": "torch.nn.modules.activation.Tanh"}
prompts = {"prompts": {"query": "the ", "passage": "a "}, "default_prompt_name": "query"}
for name, files in {
    "sentences": [encoder, modules, prompts, {"max_seq_length": 6, "do_lower_case": True},
                  {"pooling_mode": "mean", "include_prompt": False}, dense, {"dimension": 6}, {"model_max_length": 8}],
    "legacy": [encoder, modules[:2] + modules[4:], {"__version__": {}}, {"max_seq_length": None},
               {"pooling_mode_cls_token": True, "pooling_mode_max_tokens": True}],
    "texts": [{**encoder, "architectures": ["BertForSequenceClassification"], "id2label": {"0": "no", "1": "yes"},
               "problem_type": "multi_label_classification"}],
    "tokens": [{**encoder, "architectures": ["BertForTokenClassification"], "id2label": {"0": "O", "1": "B-X"}}],
    "ranking": [{**encoder, "architectures": ["BertForSequenceClassification"], "id2label": {"0": "a", "1": "b"},
                 "sentence_transformers": {"activation_fn": "torch.nn.modules.linear.Identity"}},
                modules[:1], {"model_type": "CrossEncoder", "prompts": {"query": "the "}, "activation_fn": "x.Sigmoid"}],
}.items():
    seed("settings", name, "\n".join(json.dumps(f, separators=(",", ":")) for f in files).encode())
# Literals, a match that overlaps its output, planes, and an uncompressed chunk.
run = bytes([0x1F, 65, 1, 0, 80]) + bytes([0x50]) + b"abcde"
seed("lz4", "run", struct.pack("<I", 105)[:3] + run + struct.pack("<I", len(run)))
seed("lz4", "planes", struct.pack("<I", 8)[:3] + b"\x80abcdefgh" + struct.pack("<I", 9 | 1 << 24))
seed("lz4", "stored", struct.pack("<I", 5)[:3] + b"hello" + struct.pack("<I", 5 | 1 << 31))
shutil.rmtree(SEEDS / "__pycache__", ignore_errors=True)

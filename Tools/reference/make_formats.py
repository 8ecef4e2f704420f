#!/usr/bin/env python3
"""Writes Tests/Fixtures/formats: the language-model fixtures' weights in other people's formats.
Needs: pip install torch safetensors gguf."""
import json
import pathlib
import shutil
import struct

import gguf
import numpy as np
import torch
from safetensors.torch import load_file

MODELS = pathlib.Path(__file__).parents[2] / "Tests/Fixtures/language-models"
ROOT = MODELS.parent / "formats"
shutil.rmtree(ROOT, ignore_errors=True)
ROOT.mkdir()


def folder_of(name):
    folder = MODELS / name
    return folder if folder.exists() else MODELS.parent / "encoders" / name


def weights(name):
    return load_file(folder_of(name) / "model.safetensors")


def tokenizer(writer, name, model, pre="gpt-2"):
    data = json.loads((folder_of(name) / "tokenizer.json").read_text())
    vocabulary = data["model"]["vocab"]
    tokens = sorted(vocabulary, key=vocabulary.get)
    special = {x["id"] for x in data["added_tokens"]}
    writer.add_tokenizer_model(model)
    kinds = [3 if i in special else 6 if t.startswith("<0x") else 1 for i, t in enumerate(tokens)]
    if model == "bert":
        tokens = [t if i in special else t[2:] if t.startswith("##") else "▁" + t for i, t in enumerate(tokens)]
        writer.add_bos_token_id(vocabulary["[CLS]"])
        writer.add_sep_token_id(vocabulary["[SEP]"])
        writer.add_unk_token_id(vocabulary["[UNK]"])
    if model == "llama":
        ranks = {"".join(m if isinstance(m, list) else m.split(" ")): i for i, m in
                 enumerate(data["model"]["merges"])}
        writer.add_token_scores([-float(ranks.get(t, 10_000)) for t in tokens])
        writer.add_bos_token_id(1)
        writer.add_unk_token_id(0)
    writer.add_token_list(tokens)
    writer.add_token_types(kinds)
    if model == "gpt2":
        writer.add_tokenizer_pre(pre)
        writer.add_token_merges([m if isinstance(m, str) else " ".join(m) for m in data["model"]["merges"]])


def write(path, architecture, fill):
    writer = gguf.GGUFWriter(path, architecture)
    fill(writer)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def alternating(w, heads):
    return w.reshape(heads, 2, w.shape[0] // heads // 2, *w.shape[1:]).swapaxes(1, 2).reshape(w.shape)


LLAMA = {"input_layernorm": "attn_norm", "self_attn.q_proj": "attn_q", "self_attn.k_proj": "attn_k",
         "self_attn.v_proj": "attn_v", "self_attn.o_proj": "attn_output", "mlp.gate_proj": "ffn_gate",
         "post_attention_layernorm": "ffn_norm", "mlp.up_proj": "ffn_up", "mlp.down_proj": "ffn_down"}


def sizes(writer, name):
    """Writes what all architectures have; returns the configuration."""
    c = json.loads((folder_of(name) / "config.json").read_text())
    writer.add_context_length(c["max_position_embeddings"])
    writer.add_embedding_length(c["hidden_size"])
    writer.add_block_count(c["num_hidden_layers"])
    writer.add_feed_forward_length(c["intermediate_size"])
    writer.add_head_count(c["num_attention_heads"])
    return c


def rotary(writer, c):
    writer.add_head_count_kv(c["num_key_value_heads"])
    writer.add_layer_norm_rms_eps(c["rms_norm_eps"])
    positions = c["rope_parameters"]
    writer.add_rope_freq_base(positions.get("full_attention", positions)["rope_theta"])


def llama(writer):
    c = sizes(writer, "llama")
    rotary(writer, c)
    writer.add_rope_dimension_count(c["head_dim"])
    # The fixture's table has rows that no token has; llama.cpp names them.
    tokenizer(writer, "llama", "llama")
    for name, tensor in weights("llama").items():
        w = tensor.numpy()
        if name.startswith("model.layers."):
            _, _, layer, rest = name.split(".", 3)
            part = LLAMA[rest.removesuffix(".weight")]
            if part in ("attn_q", "attn_k"):
                w = alternating(w, c["num_attention_heads" if part == "attn_q" else "num_key_value_heads"])
            name = f"blk.{layer}.{part}.weight"
        else:
            name = {"model.embed_tokens.weight": "token_embd.weight", "model.norm.weight": "output_norm.weight",
                    "lm_head.weight": "output.weight"}[name]
        writer.add_tensor(name, np.ascontiguousarray(w))


def gpt2(writer):
    c = json.loads((MODELS / "gpt2/config.json").read_text())
    writer.add_context_length(c["n_positions"])
    writer.add_embedding_length(c["n_embd"])
    writer.add_block_count(c["n_layer"])
    writer.add_feed_forward_length(4 * c["n_embd"])
    writer.add_head_count(c["n_head"])
    writer.add_layer_norm_eps(c["layer_norm_epsilon"])
    tokenizer(writer, "gpt2", "gpt2")
    names = {"ln_1": "attn_norm", "attn.c_attn": "attn_qkv", "attn.c_proj": "attn_output", "ln_2": "ffn_norm",
             "mlp.c_fc": "ffn_up", "mlp.c_proj": "ffn_down"}
    top = {"wte": "token_embd", "wpe": "position_embd", "ln_f": "output_norm"}
    for name, tensor in weights("gpt2").items():
        w = tensor.numpy()
        name, kind = name.removeprefix("transformer.").rsplit(".", 1)
        if name.startswith("h."):
            _, layer, rest = name.split(".", 2)
            if w.ndim == 2:
                w = w.T
            name = f"blk.{layer}.{names[rest]}"
        else:
            name = top[name]
        writer.add_tensor(f"{name}.{kind}", np.ascontiguousarray(w))


def qwen2(writer):
    c = sizes(writer, "qwen2")
    rotary(writer, c)
    tokenizer(writer, "qwen2", "gpt2", "qwen2")
    for name, tensor in weights("qwen2").items():
        if name.startswith("model.layers."):
            _, _, layer, rest = name.split(".", 3)
            rest, kind = rest.rsplit(".", 1)
            name = f"blk.{layer}.{LLAMA[rest]}.{kind}"
        else:
            name = {"model.embed_tokens.weight": "token_embd.weight",
                    "model.norm.weight": "output_norm.weight"}[name]
        writer.add_tensor(name, tensor.numpy())


def decoder(writer, name, layer, top):
    """A decoder with the layers of Llama whose heads GGUF stores as they are."""
    c = sizes(writer, name)
    rotary(writer, c)
    tokenizer(writer, name, "llama")
    for key, tensor in weights(name).items():
        w = tensor.numpy()
        if "gemma" in name and "norm" in key:
            w = w.astype(np.float32) + 1  # GGUF has what states are multiplied by.
        key = key.removeprefix("model.")
        if key.startswith("layers."):
            _, number, rest = key.split(".", 2)
            key = f"blk.{number}.{layer[rest.removesuffix('.weight')]}.weight"
        else:
            key = top[key]
        writer.add_tensor(key, w)
    return c


TOP = {"embed_tokens.weight": "token_embd.weight", "norm.weight": "output_norm.weight",
       "lm_head.weight": "output.weight"}


def phi3(writer):
    c = decoder(writer, "phi3", {**LLAMA, "self_attn.qkv_proj": "attn_qkv", "mlp.gate_up_proj": "ffn_up"}, TOP)
    writer.add_rope_dimension_count(c["hidden_size"] // c["num_attention_heads"])
    writer.add_sliding_window(c["sliding_window"])


def gemma(writer):
    c = decoder(writer, "gemma", LLAMA, TOP)
    writer.add_key_length(c["head_dim"])
    writer.add_value_length(c["head_dim"])


AROUND = {**LLAMA, "self_attn.q_norm": "attn_q_norm", "self_attn.k_norm": "attn_k_norm",
          "post_attention_layernorm": "post_attention_norm", "pre_feedforward_layernorm": "ffn_norm",
          "post_feedforward_layernorm": "post_ffw_norm"}


def norms_around(writer, name):
    """Gemma 2 and 3."""
    c = decoder(writer, name, AROUND, TOP)
    writer.add_key_length(c["head_dim"])
    writer.add_value_length(c["head_dim"])
    writer.add_sliding_window(c["sliding_window"])
    return c


def gemma2(writer):
    c = norms_around(writer, "gemma2")
    writer.add_attn_logit_softcapping(c["attn_logit_softcapping"])
    writer.add_final_logit_softcapping(c["final_logit_softcapping"])


def gemma3(writer, name="gemma3"):
    c = norms_around(writer, name)
    writer.add_array(f"{writer.arch}.attention.sliding_window_pattern",
                     [x == "sliding_attention" for x in c["layer_types"]])
    writer.add_float32(f"{writer.arch}.rope.freq_base_swa", c["rope_parameters"]["sliding_attention"]["rope_theta"])


def embedding_gemma(writer):
    gemma3(writer, "embedding-gemma")
    writer.add_pooling_type(gguf.PoolingType.MEAN)
    for module, name in [("2_Dense", "dense_2"), ("3_Dense", "dense_3")]:
        dense = load_file(folder_of("embedding-gemma") / module / "model.safetensors")["linear.weight"].numpy()
        writer.add_uint32(f"{writer.arch}.{name}_feat_out", dense.shape[0])
        writer.add_uint32(f"{writer.arch}.{name}_feat_in", dense.shape[1])
        writer.add_tensor(f"{name}.weight", dense)


def bert(writer):
    c = sizes(writer, "bert")
    writer.add_layer_norm_eps(c["layer_norm_eps"])
    writer.add_pooling_type(gguf.PoolingType.MEAN)
    tokenizer(writer, "bert", "bert")
    layer = {"attention.self.query": "attn_q", "attention.self.key": "attn_k", "attention.self.value": "attn_v",
             "attention.output.dense": "attn_output", "attention.output.LayerNorm": "attn_output_norm",
             "intermediate.dense": "ffn_up", "output.dense": "ffn_down", "output.LayerNorm": "layer_output_norm"}
    top = {"word_embeddings": "token_embd", "position_embeddings": "position_embd",
           "token_type_embeddings": "token_types", "LayerNorm": "token_embd_norm"}
    for name, tensor in weights("bert").items():
        name, kind = name.removeprefix("bert.").rsplit(".", 1)
        if name.startswith("encoder.layer."):
            _, _, number, rest = name.split(".", 3)
            writer.add_tensor(f"blk.{number}.{layer[rest]}.{kind}", tensor.numpy())
        elif name.startswith("embeddings."):
            writer.add_tensor(f"{top[name.removeprefix('embeddings.')]}.{kind}", tensor.numpy())


def encoder(writer, name, layer, split=lambda name, tensor: [(name, tensor)]):
    """The fixture of an encoder with BERT's embeddings and without learned positions."""
    folder = MODELS.parent / "encoders" / name
    c = json.loads((folder / "config.json").read_text())
    writer.add_context_length(c.get("n_positions") or c["max_position_embeddings"])
    writer.add_embedding_length(c.get("n_embd") or c["hidden_size"])
    writer.add_block_count(c.get("n_layer") or c["num_hidden_layers"])
    writer.add_head_count(c.get("n_head") or c["num_attention_heads"])
    writer.add_layer_norm_eps(c.get("layer_norm_epsilon") or c["layer_norm_eps"])
    writer.add_causal_attention(False)
    writer.add_pooling_type(gguf.PoolingType.MEAN)
    tokenizer(writer, "bert", "bert")
    top = {"embeddings.word_embeddings": "token_embd", "embeddings.token_type_embeddings": "token_types",
           "emb_ln": "token_embd_norm", "embeddings.LayerNorm": "token_embd_norm"}
    for stored, value in load_file(folder / "model.safetensors").items():
        for name, tensor in split(stored, value):
            name, kind = name.rsplit(".", 1)
            if name.startswith("encoder.layer"):
                _, _, number, rest = name.split(".", 3)
                writer.add_tensor(f"blk.{number}.{layer[rest]}.{kind}", tensor.numpy())
            else:
                writer.add_tensor(f"{top[name]}.{kind}", tensor.numpy())


def nomic_bert(writer):
    writer.add_feed_forward_length(256)
    writer.add_rope_freq_base(1000.0)
    encoder(writer, "nomic-bert-code", {
        "attn.Wqkv": "attn_qkv", "attn.out_proj": "attn_output", "norm1": "attn_output_norm", "mlp.fc11": "ffn_up",
        "mlp.fc12": "ffn_gate", "mlp.fc2": "ffn_down", "norm2": "layer_output_norm"})


def jina_bert(writer, is_split=True):
    writer.add_feed_forward_length(48)

    def split(name, tensor):  # As older versions of convert_hf_to_gguf.py do; newer ones keep one tensor.
        if "gated_layers" not in name:
            return [(name, tensor)]
        if not is_split:
            return [(name.replace("gated_layers", "up"), tensor)]
        return list(zip([name.replace("gated_layers", x) for x in ["gate", "up"]], tensor.chunk(2)))

    encoder(writer, "jina-bert", {
        "attention.self.query": "attn_q", "attention.self.key": "attn_k", "attention.self.value": "attn_v",
        "attention.output.dense": "attn_output", "attention.output.LayerNorm": "attn_output_norm",
        "mlp.gate": "ffn_gate", "mlp.up": "ffn_up", "mlp.wo": "ffn_down", "mlp.layernorm": "layer_output_norm"}, split)


def llama2c(version):
    """The llama fixture as llama2.c's export.py lays it out, and its tokenizer.bin."""
    c = json.loads((MODELS / "llama/config.json").read_text())
    w = {name: x.float().numpy() for name, x in weights("llama").items()}
    layers, heads, kv = c["num_hidden_layers"], c["num_attention_heads"], c["num_key_value_heads"]

    def each(part, count=None):
        tensors = [w[f"model.layers.{i}.{part}.weight"] for i in range(layers)]
        return [np.ascontiguousarray(alternating(x, count)) for x in tensors] if count else tensors

    attention = each("self_attn.q_proj", heads) + each("self_attn.k_proj", kv) + each("self_attn.v_proj")
    attention += each("self_attn.o_proj")
    feed = each("mlp.gate_proj") + each("mlp.down_proj") + each("mlp.up_proj")
    norms = each("input_layernorm"), each("post_attention_layernorm"), [w["model.norm.weight"]]
    table, head = [w["model.embed_tokens.weight"]], [w["lm_head.weight"]]
    vocabulary, positions = c["vocab_size"], c["max_position_embeddings"]
    sizes = (c["hidden_size"], c["intermediate_size"], layers, heads, kv)
    if version == 0:
        out = struct.pack("<7i", *sizes, -vocabulary, positions)
        turns = [np.ones(positions * c["head_dim"] // 2, np.float32)] * 2
        parts = table + norms[0] + attention + norms[1] + feed + norms[2] + turns + head
        return out + b"".join(x.tobytes() for x in parts)
    group = 4
    out = struct.pack("<II7iB", 0x616B3432, version, *sizes, vocabulary, positions, 0)
    out = (out + (struct.pack("<i", group) if version == 2 else b"")).ljust(256, b"\0")
    out += b"".join(x.tobytes() for part in norms for x in part)
    for x in table + attention + feed + head:
        if version == 1:
            out += x.tobytes()
            continue
        x = x.reshape(-1, group)
        scales = np.abs(x).max(axis=1) / np.float32(127)
        out += np.round(x / scales[:, None]).astype(np.int8).tobytes() + scales.astype("<f4").tobytes()
    return out


def tokenizer_bin():
    data = json.loads((MODELS / "llama/tokenizer.json").read_text())
    vocabulary = data["model"]["vocab"]
    ranks = {"".join(m if isinstance(m, list) else m.split(" ")): i for i, m in enumerate(data["model"]["merges"])}
    tokens = sorted(vocabulary, key=vocabulary.get)
    texts = [("\n" + t + "\n" if t in ("<s>", "</s>") else t.replace("▁", " ")).encode() for t in tokens]
    out = struct.pack("<I", max(map(len, texts)))
    for token, text in zip(tokens, texts):
        out += struct.pack("<fI", -float(ranks.get(token, 10_000)), len(text)) + text
    return out


write(ROOT / "llama.gguf", "llama", llama)
write(ROOT / "gpt2.gguf", "gpt2", gpt2)
write(ROOT / "qwen2.gguf", "qwen2", qwen2)
write(ROOT / "phi3.gguf", "phi3", phi3)
write(ROOT / "gemma.gguf", "gemma", gemma)
write(ROOT / "gemma2.gguf", "gemma2", gemma2)
write(ROOT / "gemma3.gguf", "gemma3", gemma3)
write(ROOT / "gemma-embedding.gguf", "gemma-embedding", embedding_gemma)
write(ROOT / "bert.gguf", "bert", bert)
write(ROOT / "nomic-bert.gguf", "nomic-bert", nomic_bert)
write(ROOT / "jina-bert.gguf", "jina-bert-v2", jina_bert)
write(ROOT / "jina-bert-gated.gguf", "jina-bert-v2", lambda writer: jina_bert(writer, is_split=False))
(ROOT / "llama2c").mkdir()
for version in range(3):
    (ROOT / f"llama2c/v{version}.bin").write_bytes(llama2c(version))
(ROOT / "llama2c/tokenizer.bin").write_bytes(tokenizer_bin())
head = np.arange(24, dtype=np.float32).reshape(6, 4) ** 0.5
np.savez(ROOT / "one.npz", head=head)
np.savez(ROOT / "two.npz", head=head, other=head.astype(np.float16))
np.savez_compressed(ROOT / "packed.npz", head=head)
# As people save them: bare, and in a training checkpoint with other things beside it.
torch.save(weights("gpt2"), ROOT / "gpt2.bin")
torch.save({"model": weights("roberta"), "epoch": 3, "lr": 1e-4, "best": None, "tags": ["a", "b"]},
           ROOT / "roberta.bin")
for path in sorted(ROOT.iterdir()):
    print(path.name, path.stat().st_size)

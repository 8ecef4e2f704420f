#!/usr/bin/env python3
"""Writes Models/samples/smollm2.json: what transformers computes with the dequantized weights of
SmolLM2-135M-Instruct.Q4_1.gguf (Tools/fetch-language-model): token ids, the state after the final norm
and the ten likeliest next tokens of some texts. Needs: pip install torch transformers gguf."""
import json
import pathlib
import sys

import gguf
import numpy as np
import torch
from gguf.quants import dequantize
from transformers import LlamaConfig, LlamaForCausalLM

PATH = pathlib.Path(__file__).parents[2] / "Models/samples/smollm2.json"
TEXTS = ["The capital of France is", "Water boils at a temperature of", "She opened the door and",
         "def add(a, b):\n    return", "Question: How tall is Mount Everest? The answer is a",
         "Review: The film was a joy from the first frame to the last. Sentiment:",
         "Review: Nothing in this restaurant was worth the wait. Sentiment:",
         "In 1969 the first people landed on the", "Two plus two is", "My favourite colour is",
         "The opposite of hot is", "Once upon a time there was a", "The server has been down since",
         "I would like to know the price of a", "Monday, Tuesday, Wednesday,",
         "The doctor told the patient to take the"]

reader = gguf.GGUFReader(sys.argv[1])
tensors = {t.name: torch.from_numpy(np.array(dequantize(t.data, t.tensor_type), dtype=np.float32))
           for t in reader.tensors}
config = LlamaConfig(vocab_size=49152, hidden_size=576, intermediate_size=1536, num_hidden_layers=30,
                     num_attention_heads=9, num_key_value_heads=3, max_position_embeddings=8192,
                     rms_norm_eps=1e-5, rope_theta=100000.0, tie_word_embeddings=True)
model = LlamaForCausalLM(config).eval()


def unpermuted(weight, heads):
    """GGUF stores the two halves of a head's rotary dimensions interleaved."""
    return weight.reshape(heads, weight.shape[0] // heads // 2, 2, -1).swapaxes(1, 2).reshape(weight.shape)


names = {"attn_q": "self_attn.q_proj", "attn_k": "self_attn.k_proj", "attn_v": "self_attn.v_proj",
         "attn_output": "self_attn.o_proj", "ffn_gate": "mlp.gate_proj", "ffn_up": "mlp.up_proj",
         "ffn_down": "mlp.down_proj", "attn_norm": "input_layernorm",
         "ffn_norm": "post_attention_layernorm"}
weights = {"model.embed_tokens.weight": tensors["token_embd.weight"],
           "lm_head.weight": tensors["token_embd.weight"],
           "model.norm.weight": tensors["output_norm.weight"]}
for name, tensor in tensors.items():
    if name.startswith("blk."):
        _, layer, part, _ = name.split(".")
        heads = {"attn_q": 9, "attn_k": 3}.get(part)
        weights[f"model.layers.{layer}.{names[part]}.weight"] = (
            unpermuted(tensor, heads) if heads else tensor)
model.load_state_dict(weights)


def tokens():
    from tokenizers import Tokenizer, models, pre_tokenizers
    fields = reader.fields
    texts = fields["tokenizer.ggml.tokens"].contents()
    merges = [tuple(m.split(" ")) for m in fields["tokenizer.ggml.merges"].contents()]
    tokenizer = Tokenizer(models.BPE(vocab={t: i for i, t in enumerate(texts)}, merges=merges))
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([
        pre_tokenizers.Digits(individual_digits=True), pre_tokenizers.ByteLevel(add_prefix_space=False)])
    return tokenizer


tokenizer = tokens()
rows = []
for text in TEXTS:
    ids = tokenizer.encode(text).ids
    with torch.no_grad():
        state = model.model(torch.tensor([ids])).last_hidden_state[0, -1]
        logits = model.lm_head.weight @ state
    top = logits.topk(10)
    rows.append({"text": text, "ids": ids, "state": [round(float(x), 4) for x in state],
                 "top": top.indices.tolist(), "logits": [round(float(x), 4) for x in top.values]})
PATH.write_text("[\n" + ",\n".join(json.dumps(row) for row in rows) + "\n]\n")
print(PATH.name, PATH.stat().st_size)

#!/usr/bin/env python3
"""Writes Tests/Fixtures/encoders (or those that arguments name): tiny sentence encoders of every architecture
beside BERT's, random weights from a fixed seed, and the vectors of transformers for some texts. Needs: pip
install transformers torch.

`golden.json` has for each text its token ids, its vector, and for the first text the states behind the
embeddings and every layer as transformers has them, before a final norm. Texts reach beyond every window, and
beyond the distances that MPNet tells apart.

Checkpoints that come with code of their own (nomic-bert, GTE, JinaBERT) are written with the names of that
code. Their references are the classes of transformers that compute the same, or a few lines of PyTorch here.
"""
import json
import math
import pathlib
import shutil
import sys

import torch
import transformers as t
from safetensors.torch import save_file
from tokenizers import Regex, Tokenizer, models, normalizers, pre_tokenizers, processors, trainers

import make_language_models as lm

ROOT = pathlib.Path(__file__).parents[2] / "Tests/Fixtures/encoders"
TEXTS = ["The capital of France is", "", "hello world", "naïve Café — 日本語, 😀!",
         "It was great. " * 5, "def f(x):\n    return x ** 2  # 1234567",
         " ".join(f"{a} {b} the capital of hello world {a + b}." for a in range(4) for b in range(5))]
SMALL = dict(hidden_size=32, intermediate_size=48, num_attention_heads=4, initializer_range=0.3)


def gemma_tokenizer():
    tok = lm.sentence_piece()
    tok.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>", pair="<s> $A </s> <s> $B </s>", special_tokens=[("<s>", 1), ("</s>", 2)])
    return tok


def deberta_tokenizer():
    tok = Tokenizer(models.Unigram())
    tok.normalizer = normalizers.Sequence([
        normalizers.Replace(Regex(r"\s{2,}|[\n\r\t]"), " "), normalizers.NFC(),
        normalizers.Strip(left=False, right=True)])
    tok.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme="always")
    tok.train_from_iterator(lm.TEXTS * 9, trainers.UnigramTrainer(
        vocab_size=150, special_tokens=["[PAD]", "[CLS]", "[SEP]", "[UNK]", "[MASK]"], unk_token="[UNK]",
        show_progress=False))
    tok.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", pair="[CLS] $A [SEP] $B:1 [SEP]:1", special_tokens=[("[CLS]", 1), ("[SEP]", 2)])
    return tok


def seeded(kind, config):
    torch.manual_seed(2)
    model = kind(config).eval()
    torch.manual_seed(1)
    for parameter in model.parameters():
        if parameter.ndim == 1:  # Fresh norms are ones and biases zeros: that would test neither.
            parameter.data += torch.randn_like(parameter) * 0.1
        parameter.data = parameter.data.half().float()
    return model


def states_of(model, ids):
    """The states behind the embeddings and each layer, and the last ones as the model returns them."""
    seen = []
    layers = next(m for n, m in model.named_modules() if isinstance(m, torch.nn.ModuleList))
    hooks = [layers[0].register_forward_pre_hook(lambda m, a: seen.append(a[0]))]
    for layer in layers:
        hooks.append(layer.register_forward_hook(
            lambda m, a, o: seen.append(o[0] if isinstance(o, tuple) else o)))
    with torch.no_grad():
        last = model(torch.tensor([ids])).last_hidden_state
    for hook in hooks:
        hook.remove()
    seen[-1] = last  # Behind the final norm, where there is one.
    return [s.reshape(len(ids), -1) for s in seen], last[0]


def write(name, model, tok, config, weights=None, pooling="mean", normalize=True, run=states_of, dense=(),
          texts=TEXTS, tokenizer_class=None):
    if sys.argv[1:] and name not in sys.argv[1:]:
        return
    folder = ROOT / name
    shutil.rmtree(folder, ignore_errors=True)
    (folder / "1_Pooling").mkdir(parents=True)
    weights = weights or model.state_dict()
    save_file({k: v.half().contiguous() for k, v in weights.items()}, folder / "model.safetensors",
              metadata={"format": "pt"})
    config = json.loads(config.to_json_string()) if hasattr(config, "to_json_string") else config
    (folder / "config.json").write_text(json.dumps(config, indent=1) + "\n")
    tok.save(str(folder / "tokenizer.json"))
    modules = [("", "Transformer"), ("1_Pooling", "Pooling")]
    (folder / "1_Pooling/config.json").write_text(json.dumps({"pooling_mode": pooling}))
    linears = []
    for i, (rows, columns) in enumerate(dense):
        torch.manual_seed(i)
        linears.append((torch.randn(rows, columns) / columns ** 0.5).half().float())
        path = f"{i + 2}_Dense"
        (folder / path).mkdir()
        save_file({"linear.weight": linears[-1].half()}, folder / path / "model.safetensors")
        (folder / path / "config.json").write_text(json.dumps(dict(
            in_features=columns, out_features=rows, bias=False,
            activation_function="torch.nn.modules.linear.Identity")))
        modules.append((path, "Dense"))
    if normalize:
        modules.append((f"{len(modules)}_Normalize", "Normalize"))
    (folder / "modules.json").write_text(json.dumps(
        [{"idx": i, "name": str(i), "path": p, "type": f"sentence_transformers.models.{t}"}
         for i, (p, t) in enumerate(modules)]))
    if tokenizer_class:
        (folder / "tokenizer_config.json").write_text(json.dumps({"tokenizer_class": tokenizer_class}))
    (folder / "sentence_bert_config.json").write_text(json.dumps({"max_seq_length": 340}))
    golden = []
    for i, text in enumerate(texts):
        ids = tok.encode(text).ids
        layers, last = run(model, ids)
        vector = last[0] if pooling == "cls" else last.mean(0)
        for matrix in linears:
            vector = matrix @ vector
        if normalize:
            vector = vector / vector.norm()
        entry = {"text": text, "ids": ids, "vector": vector}
        if i == 0:
            entry["layers"] = torch.stack(layers).flatten()
        golden.append({k: [round(x, 5) for x in v.tolist()] if isinstance(v, torch.Tensor) else v
                       for k, v in entry.items()})
    (folder / "golden.json").write_text(json.dumps(golden) + "\n")
    print(name, len(ids), sum(f.stat().st_size for f in folder.rglob("*") if f.is_file()))


def nomic_names(weights):
    """The names of the code that comes with Nomic's checkpoints."""
    out = {}
    for name, value in weights.items():
        if "self_attn.q_proj" in name:
            parts = [weights[name.replace("q_proj", f"{x}_proj")] for x in "qkv"]
            out["encoder." + name.replace("self_attn.q_proj", "attn.Wqkv")] = torch.cat(parts)
        elif "self_attn.k_proj" in name or "self_attn.v_proj" in name:
            continue
        elif name.startswith("layers."):
            for new, old in [("self_attn.o_proj", "attn.out_proj"), ("up_proj", "fc11"), ("gate_proj", "fc12"),
                             ("down_proj", "fc2"), ("post_attention_layernorm", "norm1"),
                             ("post_mlp_layernorm", "norm2")]:
                name = name.replace(new, old)
            out["encoder." + name] = value
        else:
            out[name.replace("embeddings.LayerNorm", "emb_ln")] = value
    return out


def gte_names(weights):
    """The names of the code that comes with GTE's checkpoints."""
    out = {}
    for name, value in weights.items():
        if "q_proj" in name:
            parts = [weights[name.replace("q_proj", f"{x}_proj")] for x in "qkv"]
            out["encoder.layer" + name.removeprefix("layers").replace(
                "self_attn.q_proj", "attention.qkv_proj")] = torch.cat(parts)
        elif "gate_proj" in name:
            parts = [weights[name.replace("gate_proj", "up_proj")], value]
            out["encoder.layer" + name.removeprefix("layers").replace("gate_proj", "up_gate_proj")] = torch.cat(parts)
        elif any(x in name for x in ["k_proj", "v_proj", "up_proj"]):
            continue
        elif name.startswith("layers."):
            for new, old in [("self_attn.", "attention."), ("post_attention_layernorm", "attn_ln"),
                             ("post_mlp_layernorm", "mlp_ln")]:
                name = name.replace(new, old)
            out["encoder.layer" + name.removeprefix("layers")] = value
        else:
            out[name] = value
    return out


class JinaBERT(torch.nn.Module):
    """JinaBERT v2 (arXiv 2310.19923): BERT with a gate of GELU, and distances times a slope of each head as
    losses of scores."""

    def __init__(self, config):
        super().__init__()
        self.heads = config.num_attention_heads
        self.embeddings = t.models.bert.modeling_bert.BertEmbeddings(config)
        del self.embeddings.position_embeddings
        d, inner = config.hidden_size, config.intermediate_size
        layer = lambda: torch.nn.ModuleDict(dict(
            attention=torch.nn.ModuleDict(dict(
                self=torch.nn.ModuleDict({x: torch.nn.Linear(d, d) for x in ["query", "key", "value"]}),
                output=torch.nn.ModuleDict(dict(dense=torch.nn.Linear(d, d), LayerNorm=torch.nn.LayerNorm(d, 1e-12))))),
            mlp=torch.nn.ModuleDict(dict(
                gated_layers=torch.nn.Linear(d, 2 * inner, bias=False), wo=torch.nn.Linear(inner, d),
                layernorm=torch.nn.LayerNorm(d, 1e-12)))))
        self.encoder = torch.nn.ModuleDict(dict(
            layer=torch.nn.ModuleList(layer() for _ in range(config.num_hidden_layers))))
        for parameter in self.parameters():
            if parameter.ndim == 2:
                torch.nn.init.normal_(parameter, std=config.initializer_range)

    def slopes(self):
        def powers(n):
            start = 2 ** -(2 ** -(math.log2(n) - 3))
            return [start ** (i + 1) for i in range(n)]
        n = 2 ** math.floor(math.log2(self.heads))
        return torch.tensor(powers(n) + powers(2 * n)[::2][:self.heads - n])

    def run(self, ids):
        e = self.embeddings
        x = e.LayerNorm(e.word_embeddings(torch.tensor(ids)) + e.token_type_embeddings.weight[0])
        states, n = [x], len(ids)
        place = torch.arange(n)
        bias = -self.slopes()[:, None, None] * (place[None] - place[:, None]).abs()
        for layer in self.encoder["layer"]:
            part = layer["attention"]["self"]
            q, k, v = (part[p](x).view(n, self.heads, -1).transpose(0, 1) for p in ["query", "key", "value"])
            scores = q @ k.transpose(1, 2) / q.shape[-1] ** 0.5 + bias
            y = (scores.softmax(-1) @ v).transpose(0, 1).reshape(n, -1)
            out = layer["attention"]["output"]
            x = out["LayerNorm"](out["dense"](y) + x)
            mlp = layer["mlp"]
            gate, up = mlp["gated_layers"](x).chunk(2, -1)
            x = mlp["layernorm"](mlp["wo"](torch.nn.functional.gelu(gate) * up) + x)
            states.append(x)
        return states, x


def auto_map(prefix):
    """The classes of code beside a checkpoint, as published ones list them."""
    tasks = ["MaskedLM", "MultipleChoice", "QuestionAnswering", "SequenceClassification", "TokenClassification"]
    return {"AutoModel": f"{prefix}Model", **{f"AutoModelFor{task}": f"{prefix}For{task}" for task in tasks}}


def main():
    wp, mp, modern = lm.word_piece(), lm.mpnet_tokenizer(), lm.modern_tokenizer()
    config = t.MPNetConfig(vocab_size=mp.get_vocab_size(), num_hidden_layers=2, max_position_embeddings=350, **SMALL)
    model = seeded(lambda c: t.MPNetModel(c, add_pooling_layer=False), config)
    write("mpnet", model, mp, config)

    config = t.NomicBertConfig(vocab_size=wp.get_vocab_size(), num_hidden_layers=2, max_position_embeddings=512, **SMALL)
    write("nomic-bert", seeded(t.NomicBertModel, config), wp, config)
    config = t.NomicBertConfig(
        vocab_size=wp.get_vocab_size(), num_hidden_layers=2, max_position_embeddings=512,
        **{**SMALL, "intermediate_size": 256, "initializer_range": 0.2})
    model = seeded(t.NomicBertModel, config)
    write("nomic-bert-code", model, wp, dict(
        model_type="nomic_bert", activation_function="swiglu", n_embd=32, n_head=4, n_layer=2, n_inner=250,
        n_positions=512, rotary_emb_base=1000, rotary_emb_fraction=1.0, rotary_emb_interleaved=False,
        rotary_emb_scale_base=None, rotary_scaling_factor=None, prenorm=False, qkv_proj_bias=False,
        layer_norm_epsilon=1e-12, type_vocab_size=2, vocab_size=wp.get_vocab_size(), causal=False,
        architectures=["NomicBertModel"],
        auto_map=auto_map("nomic-ai/nomic-bert-2048--modeling_hf_nomic_bert.NomicBert")),
        nomic_names(model.state_dict()))

    common = dict(vocab_size=wp.get_vocab_size(), num_hidden_layers=2, max_position_embeddings=512, **SMALL)
    config = t.GteConfig(pad_token_id=0, **{**common, "initializer_range": 0.2})
    write("gte", seeded(t.GteModel, config), wp, config, pooling="cls", tokenizer_class="BertTokenizer")
    config = t.GteConfig(pad_token_id=0, type_vocab_size=0, **common)
    model = seeded(t.GteModel, config)
    factor, dimensions = 4.0, 8
    powers = torch.arange(0, dimensions, 2).float() / dimensions
    model.rotary_emb.inv_freq = 1 / ((5000 * factor) ** powers) / factor ** (2 / dimensions)
    write("gte-code", model, wp, dict(
        model_type="new", hidden_act="gelu", rope_theta=5000, rope_scaling={"type": "ntk", "factor": factor},
        position_embedding_type="rope", pack_qkv=True, layer_norm_type="layer_norm", layer_norm_eps=1e-12,
        type_vocab_size=0, logn_attention_scale=False, architectures=["NewModel"],
        auto_map=auto_map("Alibaba-NLP/new-impl--modeling.New"), **common),
        gte_names(model.state_dict()), pooling="cls")

    config = t.ModernBertConfig(
        vocab_size=modern.get_vocab_size() + 4, num_hidden_layers=4, max_position_embeddings=512, local_attention=16,
        pad_token_id=2, cls_token_id=0, bos_token_id=0, sep_token_id=1, eos_token_id=1,
        **{**SMALL, "initializer_range": 0.1})
    write("modernbert", seeded(t.ModernBertModel, config), modern, config, pooling="cls")

    gemma = gemma_tokenizer()
    config = t.Gemma3TextConfig(
        vocab_size=gemma.get_vocab_size() + 3, num_hidden_layers=3, num_key_value_heads=2, head_dim=12,
        query_pre_attn_scalar=20, sliding_window=12, max_position_embeddings=512, pad_token_id=0,
        layer_types=["sliding_attention", "full_attention", "sliding_attention"],
        use_bidirectional_attention=True, **{**SMALL, "initializer_range": 0.1})
    write("embedding-gemma", seeded(t.Gemma3TextModel, config), gemma, config,
          dense=[(48, 32), (24, 48)])

    config = t.AlbertConfig(
        vocab_size=wp.get_vocab_size(), embedding_size=24, num_hidden_layers=4, num_hidden_groups=2,
        max_position_embeddings=350, **SMALL)
    model = seeded(lambda c: t.AlbertModel(c, add_pooling_layer=False), config)
    write("albert", model, wp, config, run=albert_states, tokenizer_class="BertTokenizer")

    config = t.BertConfig(vocab_size=wp.get_vocab_size(), num_hidden_layers=2, max_position_embeddings=512,
                          **{**SMALL, "num_attention_heads": 3, "hidden_size": 48})
    model = seeded(JinaBERT, config)
    write("jina-bert", model, wp, dict(
        model_type="bert", position_embedding_type="alibi", feed_forward_type="geglu", emb_pooler="mean",
        hidden_act="gelu", layer_norm_eps=1e-12, hidden_size=48, intermediate_size=48, num_attention_heads=3,
        num_hidden_layers=2, max_position_embeddings=512, type_vocab_size=2, vocab_size=wp.get_vocab_size(),
        architectures=["JinaBertForMaskedLM"],
        auto_map=auto_map("jinaai/jina-bert-implementation--modeling_bert.JinaBert")),
        {k: v for k, v in model.state_dict().items() if "position_ids" not in k and "token_type_ids" not in k},
        run=lambda m, ids: m.run(ids))


    deberta = deberta_tokenizer()
    config = t.DebertaV2Config(
        vocab_size=deberta.get_vocab_size(), num_hidden_layers=2, max_position_embeddings=350,
        relative_attention=True, position_buckets=16, norm_rel_ebd="layer_norm", share_att_key=True,
        pos_att_type=["p2c", "c2p"], position_biased_input=False, type_vocab_size=0, **SMALL)
    write("deberta", seeded(t.DebertaV2Model, config), deberta, config, run=albert_states,
          texts=TEXTS[:-1] + [TEXTS[-1][:350]])


def albert_states(model, ids):
    with torch.no_grad():
        out = model(torch.tensor([ids]), output_hidden_states=True)
    return [s[0] for s in out.hidden_states], out.last_hidden_state[0]


if __name__ == "__main__":
    main()

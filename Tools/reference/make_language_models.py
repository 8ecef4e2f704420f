#!/usr/bin/env python3
"""Writes Tests/Fixtures/language-models (or those that arguments name): tiny checkpoints of every architecture with an LM head, random
weights from a fixed seed, and the outputs of transformers for some texts. Needs: pip install
transformers torch.

`golden.json` has for each text its token ids, the state that the head reads (at the last token, or at the
mask), its logits, and for the first text the states of all layers at all tokens, as the head would read
them.
"""
import json
import pathlib
import shutil
import sys

import torch
from tokenizers import (AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers,
                        processors, trainers)
import transformers as t
from safetensors.torch import save_file

ROOT = pathlib.Path(__file__).parents[2] / "Tests/Fixtures/language-models"
TEXTS = ["The capital of France is", "hello world", "naïve Café — 日本語, 😀!",
         "def f(x):\n    return x ** 2  # 1234567", "It was great. " * 5]
LLAMA3 = (r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*"
          r"|\s*[\r\n]+|\s+(?!\S)|\s+")
QWEN2 = LLAMA3.replace(r"\p{N}{1,3}", r"\p{N}")
SMALL = dict(num_hidden_layers=2, num_attention_heads=4, initializer_range=0.3)


def byte_level(special, pattern=None, nfc=False, prefix_space=False):
    tok = Tokenizer(models.BPE())
    if nfc:
        tok.normalizer = normalizers.NFC()
    level = pre_tokenizers.ByteLevel(add_prefix_space=prefix_space, use_regex=pattern is None)
    tok.pre_tokenizer = level if pattern is None else pre_tokenizers.Sequence(
        [pre_tokenizers.Split(Regex(pattern), "isolated"), level])
    tok.decoder = decoders.ByteLevel()
    tok.train_from_iterator(TEXTS * 9, trainers.BpeTrainer(
        vocab_size=340, special_tokens=special, show_progress=False,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet()))
    return tok


def sentence_piece():
    special = ["<unk>", "<s>", "</s>"] + [f"<0x{i:02X}>" for i in range(256)]
    tok = Tokenizer(models.BPE(unk_token="<unk>", fuse_unk=True, byte_fallback=True))
    tok.normalizer = normalizers.Sequence([normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")])
    tok.train_from_iterator([x for x in TEXTS if x.isascii()] * 9, trainers.BpeTrainer(
        vocab_size=380, special_tokens=special, show_progress=False))
    # Only the first three are added tokens; byte tokens belong to the model.
    data = json.loads(tok.to_str())
    data["added_tokens"] = [x for x in data["added_tokens"] if x["id"] < 3]
    tok = Tokenizer.from_str(json.dumps(data))
    tok.post_processor = processors.TemplateProcessing(
        single="<s> $A", pair="<s> $A <s>:1 $B:1", special_tokens=[("<s>", 1)])
    return tok


def word_piece():
    tok = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    tok.normalizer = normalizers.BertNormalizer()
    tok.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tok.train_from_iterator(TEXTS * 9, trainers.WordPieceTrainer(
        vocab_size=220, special_tokens=["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"],
        show_progress=False))
    tok.post_processor = processors.BertProcessing(("[SEP]", 3), ("[CLS]", 2))
    return tok


def roberta():
    tok = byte_level(["<s>", "<pad>", "</s>", "<unk>"])
    tok.add_special_tokens([AddedToken("<mask>", lstrip=True)])
    tok.post_processor = processors.RobertaProcessing(("</s>", 2), ("<s>", 0), add_prefix_space=False)
    return tok


def mpnet_tokenizer():
    tok = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    tok.normalizer = normalizers.BertNormalizer()
    tok.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tok.train_from_iterator(TEXTS * 9, trainers.WordPieceTrainer(
        vocab_size=220, special_tokens=["<s>", "<pad>", "</s>", "[UNK]", "<mask>", "[MASK]"],
        show_progress=False))
    tok.post_processor = processors.RobertaProcessing(("</s>", 2), ("<s>", 0))
    return tok


def modern_tokenizer():
    tok = byte_level(["[CLS]", "[SEP]", "[PAD]", "[MASK]"])
    tok.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", pair="[CLS] $A [SEP] $B [SEP]", special_tokens=[("[CLS]", 0), ("[SEP]", 1)])
    return tok


def save(name, model, tok, head, mask=None, norm=None, scale=1.0):
    if sys.argv[1:] and name not in sys.argv[1:]:
        return
    torch.manual_seed(1)
    folder = ROOT / name
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    model = model.eval()
    for parameter in model.parameters():
        if parameter.ndim == 1:  # Fresh norms are ones and biases zeros: that would test neither.
            parameter.data += torch.randn_like(parameter) * 0.1
    model = model.half().float()
    model.half().save_pretrained(folder)
    model.float()
    (folder / "generation_config.json").unlink(missing_ok=True)
    tok.save(str(folder / "tokenizer.json"))
    golden = []
    for i, text in enumerate(TEXTS):
        if mask:
            text = f"{mask} {text}" if i % 2 else f"{text} {mask}."
        ids = tok.encode(text).ids
        place = ids.index(tok.token_to_id(mask)) if mask else len(ids) - 1
        with torch.no_grad():
            out = model(torch.tensor([ids]), output_hidden_states=True)
            states = list(out.hidden_states)
            # transformers applies the final norm to the last states of a causal model only.
            if norm:  # A norm between the layers and the head of a masked language model.
                read = [head(norm(s)) for s in states[:-1]] + [head(states[-1])]
                assert torch.equal(states[-1], model.base_model(torch.tensor([ids])).last_hidden_state)
            else:
                read = [head(s) for s in (states if mask else states[:-1])] + ([] if mask else [states[-1]])
        read = [scale * x for x in read]
        entry = {"text": text, "ids": ids, "state": read[-1][0, place], "logits": out.logits[0, place]}
        if i == 0:
            entry["layers"] = torch.stack([s[0] for s in read]).flatten()
        golden.append({k: [round(float(x), 5) for x in v] if isinstance(v, torch.Tensor) else v
                       for k, v in entry.items()})
    (folder / "golden.json").write_text(json.dumps(golden, ensure_ascii=True) + "\n")
    print(name, sum(f.stat().st_size for f in folder.rglob("*") if f.is_file()))


def seeded(kind, config):
    torch.manual_seed(2)
    return kind(config)


def llama_like(name, kind, config, tok, **options):
    config = config(**{**dict(
        vocab_size=tok.get_vocab_size() + 3, hidden_size=32, intermediate_size=52,
        num_key_value_heads=2, max_position_embeddings=128), **SMALL, **options})
    model = seeded(kind, config)
    # Converted checkpoints have the factor of Granite's logits in the norm.
    save(name, model, tok, model.model.norm, scale=1 / getattr(config, "logits_scaling", 1.0))


def main():
    gpt = byte_level(["<|endoftext|>"])
    model = seeded(t.GPT2LMHeadModel, t.GPT2Config(
        vocab_size=gpt.get_vocab_size(), n_embd=40, n_layer=2, n_head=4, n_positions=96,
        initializer_range=0.3))
    save("gpt2", model, gpt, model.transformer.ln_f)

    llama_like("llama", t.LlamaForCausalLM, t.LlamaConfig, sentence_piece())
    l3 = byte_level(["<|begin_of_text|>"], LLAMA3)
    l3.post_processor = processors.Sequence([
        processors.ByteLevel(trim_offsets=False), processors.TemplateProcessing(
            single="<|begin_of_text|> $A", pair="<|begin_of_text|> $A $B:1",
            special_tokens=[("<|begin_of_text|>", 0)])])
    llama_like("llama3", t.LlamaForCausalLM, t.LlamaConfig, l3, tie_word_embeddings=True,
               attention_bias=True, mlp_bias=True, rope_parameters=dict(
                   rope_type="llama3", rope_theta=500.0, factor=8.0, low_freq_factor=1.0,
                   high_freq_factor=4.0, original_max_position_embeddings=32))
    llama_like("llama-linear", t.LlamaForCausalLM, t.LlamaConfig, sentence_piece(), head_dim=12,
               rope_parameters=dict(rope_type="linear", rope_theta=10000.0, factor=2.0))
    llama_like("mistral", t.MistralForCausalLM, t.MistralConfig, sentence_piece(), sliding_window=5)
    qwen = byte_level(["<|endoftext|>"], QWEN2, nfc=True)
    llama_like("qwen2", t.Qwen2ForCausalLM, t.Qwen2Config, qwen, tie_word_embeddings=True)
    llama_like("qwen2-yarn", t.Qwen2ForCausalLM, t.Qwen2Config, qwen, rope_parameters=dict(
        rope_type="yarn", rope_theta=10000.0, factor=4.0, original_max_position_embeddings=32))
    llama_like("qwen3", t.Qwen3ForCausalLM, t.Qwen3Config, qwen, head_dim=16)

    # Longer texts than the original length would take the long factors.
    rope = dict(rope_type="longrope", rope_theta=10000.0, short_factor=[1.0, 1.5, 2.25, 4.0],
                long_factor=[2.0, 3.0, 5.0, 9.0])
    llama_like("phi3", t.Phi3ForCausalLM, t.Phi3Config, sentence_piece(), sliding_window=6, pad_token_id=0)
    llama_like("phi3-longrope", t.Phi3ForCausalLM, t.Phi3Config, sentence_piece(), rope_parameters=rope,
               max_position_embeddings=256, original_max_position_embeddings=96, pad_token_id=0)
    llama_like("gemma", t.GemmaForCausalLM, t.GemmaConfig, sentence_piece(), head_dim=12)

    # Without "eager" attention, transformers leaves the cap of scores out.
    llama_like("gemma2", t.Gemma2ForCausalLM, t.Gemma2Config, sentence_piece(), head_dim=12, query_pre_attn_scalar=12,
               sliding_window=6, attn_logit_softcapping=2.0, final_logit_softcapping=3.0, num_hidden_layers=3,
               initializer_range=0.1, attn_implementation="eager")
    llama_like("gemma3", t.Gemma3ForCausalLM, t.Gemma3TextConfig, sentence_piece(), head_dim=12,
               query_pre_attn_scalar=20, sliding_window=6, num_hidden_layers=3,
               layer_types=["sliding_attention", "full_attention", "sliding_attention"], initializer_range=0.1)
    llama_like("olmo2", t.Olmo2ForCausalLM, t.Olmo2Config, gpt, pad_token_id=None)
    llama_like("stablelm", t.StableLmForCausalLM, t.StableLmConfig, gpt, use_qkv_bias=True, hidden_size=48,
               partial_rotary_factor=0.5)
    llama_like("smollm3", t.SmolLM3ForCausalLM, t.SmolLM3Config, gpt, num_hidden_layers=4, pad_token_id=0)
    llama_like("granite", t.GraniteForCausalLM, t.GraniteConfig, gpt, embedding_multiplier=3.0,
               attention_multiplier=0.2, residual_multiplier=0.4, logits_scaling=5.0)

    neo = byte_level(["<|endoftext|>"], nfc=True)
    for name, parallel in [("gpt-neox", True), ("gpt-neox-sequential", False)]:
        model = seeded(t.GPTNeoXForCausalLM, t.GPTNeoXConfig(
            vocab_size=neo.get_vocab_size(), hidden_size=32, intermediate_size=64,
            max_position_embeddings=96, use_parallel_residual=parallel, **SMALL))
        save(name, model, neo, model.gpt_neox.final_layer_norm)

    falcon = dict(vocab_size=neo.get_vocab_size(), hidden_size=32, max_position_embeddings=96, **SMALL)
    for name, options in [
            ("falcon", {}), ("falcon-groups", dict(new_decoder_architecture=True, num_kv_heads=2, ffn_hidden_size=52)),
            ("falcon-one-norm", dict(new_decoder_architecture=True, num_kv_heads=2, num_ln_in_parallel_attn=1)),
            ("falcon-sequential", dict(multi_query=False, parallel_attn=False, bias=True))]:
        model = seeded(t.FalconForCausalLM, t.FalconConfig(**falcon, **options))
        save(name, model, neo, model.transformer.ln_f)
    model = seeded(t.MptForCausalLM, t.MptConfig(
        vocab_size=neo.get_vocab_size(), d_model=36, n_heads=6, n_layers=2, max_seq_len=96, initializer_range=0.3))
    save("mpt", model, neo, model.transformer.norm_f)
    model = seeded(t.PhiForCausalLM, t.PhiConfig(
        vocab_size=neo.get_vocab_size(), hidden_size=32, intermediate_size=52, max_position_embeddings=96, **SMALL))
    save("phi", model, neo, model.model.final_layernorm)

    wp = word_piece()
    common = dict(vocab_size=wp.get_vocab_size(), intermediate_size=64, max_position_embeddings=64)
    model = seeded(t.BertForMaskedLM, t.BertConfig(hidden_size=32, **common, **SMALL))
    save("bert", model, wp, model.cls.predictions.transform, "[MASK]")
    model = seeded(t.DistilBertForMaskedLM, t.DistilBertConfig(
        vocab_size=wp.get_vocab_size(), dim=32, n_layers=2, n_heads=4, hidden_dim=64,
        max_position_embeddings=64, initializer_range=0.3))
    save("distilbert", model, wp, lambda s: model.vocab_layer_norm(
        model.activation(model.vocab_transform(s))), "[MASK]")
    model = seeded(t.ElectraForMaskedLM, t.ElectraConfig(
        embedding_size=24, hidden_size=40, **common, **SMALL))
    save("electra", model, wp, model.generator_predictions, "[MASK]")
    rb = roberta()
    model = seeded(t.RobertaForMaskedLM, t.RobertaConfig(
        vocab_size=rb.get_vocab_size(), hidden_size=32, intermediate_size=64, type_vocab_size=1,
        max_position_embeddings=66, pad_token_id=1, tie_word_embeddings=False, **SMALL))
    save("roberta", model, rb, lambda s: model.lm_head.layer_norm(
        torch.nn.functional.gelu(model.lm_head.dense(s))), "<mask>")

    mp, modern = mpnet_tokenizer(), modern_tokenizer()
    gelu = torch.nn.functional.gelu
    narrow = {**common, "hidden_size": 32, **SMALL}
    model = seeded(t.MPNetForMaskedLM, t.MPNetConfig(
        **{**narrow, "vocab_size": mp.get_vocab_size(), "initializer_range": 0.2}))
    save("mpnet", model, mp, lambda s: model.lm_head.layer_norm(gelu(model.lm_head.dense(s))), "<mask>")
    nomic = seeded(t.NomicBertForMaskedLM, t.NomicBertConfig(**narrow))
    save("nomic-bert", nomic, wp, nomic.cls.predictions.transform, "[MASK]")
    gte = seeded(t.GteForMaskedLM, t.GteConfig(pad_token_id=0, **narrow))
    save("gte", gte, wp, lambda s: gte.lm_head.layer_norm(gelu(gte.lm_head.dense(s))), "[MASK]")
    bert = seeded(t.ModernBertForMaskedLM, t.ModernBertConfig(
        local_attention=6, pad_token_id=2, cls_token_id=0, bos_token_id=0, sep_token_id=1, eos_token_id=1,
        initializer_cutoff_factor=9.0, **{
            **narrow, "num_hidden_layers": 4, "vocab_size": modern.get_vocab_size(), "initializer_range": 0.1}))
    save("modernbert", bert, modern, bert.head, "[MASK]", norm=bert.model.final_norm)
    albert = seeded(t.AlbertForMaskedLM, t.AlbertConfig(
        embedding_size=24, **{**narrow, "num_hidden_layers": 3}))
    save("albert", albert, wp, lambda s: albert.predictions.LayerNorm(
        albert.predictions.activation(albert.predictions.dense(s))), "[MASK]")


if __name__ == "__main__":
    main()

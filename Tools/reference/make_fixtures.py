#!/usr/bin/env python3
"""Writes Tests/Fixtures: tiny checkpoints with random weights, and the outputs of transformers and
tokenizers for some texts. Needs: pip install sentence-transformers.

Every model folder is one that transformers itself saved; `golden.json` beside it has the texts, their
token ids and their vectors.
"""
import json
import pathlib
import shutil

import numpy as np
import torch
from safetensors.torch import load_file, save_file
from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers
from transformers import (BertConfig, BertForMaskedLM, BertModel, DistilBertConfig, DistilBertModel)

import nasty_texts

ROOT = pathlib.Path(__file__).parents[2] / "Tests/Fixtures"
TEXTS = ["", "hello world", "The quick brown fox jumps over the lazy dog.", "naïve Café, Ångström!",
         "日本語 and 中文", "😀 emoji", "antidisestablishmentarianism " * 12,
         "[MASK] is special", "don't stop-believing!!! ... 3.14"]


def tokenizer(lowercase, strip_accents=None):
    t = Tokenizer(models.WordPiece(unk_token="[UNK]", max_input_chars_per_word=100))
    t.normalizer = normalizers.BertNormalizer(
        clean_text=True, handle_chinese_chars=True, strip_accents=strip_accents, lowercase=lowercase)
    t.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    t.decoder = decoders.WordPiece()
    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    t.train_from_iterator(
        TEXTS * 20 + nasty_texts.generate(150, seed=3),
        trainers.WordPieceTrainer(vocab_size=700, special_tokens=special, show_progress=False))
    cls, sep = t.token_to_id("[CLS]"), t.token_to_id("[SEP]")
    t.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", pair="[CLS] $A [SEP] $B:1 [SEP]:1",
        special_tokens=[("[CLS]", cls), ("[SEP]", sep)])
    return t


def pooled(states, mode):
    if mode == "cls":
        return states[0]
    if mode == "max":
        return states.max(0).values
    total = states.sum(0)
    return total / (len(states) if mode == "mean" else len(states) ** 0.5)


def write(name, model, tok, pooling="mean", normalize=True, dtype=torch.float32, activation=None):
    torch.manual_seed(1)
    folder = ROOT / name
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    model = model.eval()
    for parameter in model.parameters():
        if parameter.ndim == 1:  # Fresh norms are ones and biases zeros: that would test neither.
            parameter.data += torch.randn_like(parameter) * 0.1
    model = model.to(dtype).float()
    model.to(dtype).save_pretrained(folder)
    weights = load_file(folder / "model.safetensors")
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    model = model.float()
    tok.save(str(folder / "tokenizer.json"))
    (folder / "1_Pooling").mkdir()
    modes = {"cls": "cls_token", "mean": "mean_tokens", "max": "max_tokens",
             "mean_sqrt_len": "mean_sqrt_len_tokens"}
    (folder / "1_Pooling/config.json").write_text(json.dumps(
        {f"pooling_mode_{v}": k == pooling for k, v in modes.items()}))
    modules = [("", "Transformer"), ("1_Pooling", "Pooling")] + [("2_Normalize", "Normalize")] * normalize
    (folder / "modules.json").write_text(json.dumps(
        [{"idx": i, "name": str(i), "path": p, "type": f"sentence_transformers.models.{t}"}
         for i, (p, t) in enumerate(modules)]))
    (folder / "sentence_bert_config.json").write_text(json.dumps({"max_seq_length": 40}))
    tok.enable_truncation(40)
    golden = []
    base = getattr(model, "bert", model)
    for text in TEXTS:
        ids = tok.encode(text).ids
        with torch.no_grad():
            states = base(torch.tensor([ids])).last_hidden_state[0]
        vector = pooled(states, pooling)
        if normalize:
            vector = vector / vector.norm()
        golden.append({"text": text, "ids": ids, "vector": [round(float(x), 6) for x in vector]})
    tok.no_truncation()
    (folder / "golden.json").write_text(json.dumps(golden, ensure_ascii=True, indent=0) + "\n")
    for extra in ("generation_config.json",):
        (folder / extra).unlink(missing_ok=True)
    print(name, sum(f.stat().st_size for f in folder.rglob("*") if f.is_file()))


def bert(vocab, **options):
    torch.manual_seed(2)
    return BertConfig(**{**dict(
        vocab_size=vocab, hidden_size=48, num_hidden_layers=2, num_attention_heads=4,
        intermediate_size=88, max_position_embeddings=64, initializer_range=0.2), **options})


def main():
    uncased, cased = tokenizer(True), tokenizer(False)
    v = uncased.get_vocab_size()
    write("bert-mean", BertModel(bert(v)), uncased)
    # A head over the encoder (prefixed names), half precision, first-token pooling.
    write("bert-cls-f16", BertForMaskedLM(bert(v, hidden_act="gelu_new")), uncased, "cls",
          dtype=torch.float16)
    write("bert-max-bf16", BertModel(bert(cased.get_vocab_size(), hidden_act="relu")), cased, "max",
          normalize=False, dtype=torch.bfloat16)
    torch.manual_seed(2)
    write("distilbert-sqrt", DistilBertModel(DistilBertConfig(
        vocab_size=v, dim=42, n_layers=2, n_heads=3, hidden_dim=88, max_position_embeddings=64,
        initializer_range=0.2)), uncased, "mean_sqrt_len", dtype=torch.float16)

    nasty = nasty_texts.generate(400, seed=5)
    for name, t in [("uncased", uncased), ("cased", cased), ("accents", tokenizer(True, False))]:
        folder = ROOT / "tokenizers"
        folder.mkdir(exist_ok=True)
        t.save(str(folder / f"{name}.json"))
        (folder / f"{name}.golden.json").write_text(json.dumps(
            [{"text": x, "ids": t.encode(x).ids} for x in nasty], ensure_ascii=True, indent=0) + "\n")
    np.random.seed(0)


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
"""Writes Tests/Fixtures/tokenizers/{bpe,unigram}-*: small tokenizers of every kind, trained on
adversarial texts, and their ids. Needs: pip install tokenizers sentencepiece protobuf.

Real tokenizers are too large to keep; Tools/check-tokenizers fetches some and compares."""
import io
import json
import pathlib

import sentencepiece
from sentencepiece import sentencepiece_model_pb2
from tokenizers import (AddedToken, Regex, Tokenizer, models, normalizers, pre_tokenizers, processors,
                        trainers)

import nasty_texts

ROOT = pathlib.Path(__file__).parents[2] / "Tests/Fixtures/tokenizers"
LLAMA3 = (r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*"
          r"|\s*[\r\n]+|\s+(?!\S)|\s+")
O200K = "|".join([
    r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?",
    r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?",
    r"\p{N}{1,3}", r" ?[^\s\p{L}\p{N}]+[\r\n/]*", r"\s*[\r\n]+", r"\s+(?!\S)", r"\s+"])
CORPUS = nasty_texts.generate(150, seed=3)
TEXTS = nasty_texts.generate(150, seed=21) + [
    "  <s>  <mask> </s>x", "don't DON'T we'Re ſ's K'LL", "１２３ ٣٤٥ 12345678", " ", "\n", "", "   x",
    "    indented\n\n\n\tcode  \r\n", "a" * 300]


def byte_level(pattern=None, vocab=700, nfc=False, **options):
    tok = Tokenizer(models.BPE(**options))
    if nfc:
        tok.normalizer = normalizers.NFC()
    level = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=pattern is None)
    tok.pre_tokenizer = level if pattern is None else pre_tokenizers.Sequence(
        [pre_tokenizers.Split(Regex(pattern), "isolated"), level])
    tok.train_from_iterator(CORPUS * 2, trainers.BpeTrainer(
        vocab_size=vocab, special_tokens=["<s>", "</s>"], show_progress=False,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet()))
    tok.add_special_tokens([AddedToken("<mask>", lstrip=True, rstrip=True)])
    return tok


def sentence_piece(metaspace):
    special = ["<unk>", "<s>", "</s>"] + [f"<0x{i:02X}>" for i in range(256)]
    tok = Tokenizer(models.BPE(unk_token="<unk>", fuse_unk=True, byte_fallback=True))
    if metaspace:
        tok.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme="first", split=False)
    else:
        tok.normalizer = normalizers.Sequence([normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")])
    tok.train_from_iterator([x for x in CORPUS if x.isascii()] * 9, trainers.BpeTrainer(
        vocab_size=600, special_tokens=special, show_progress=False, max_token_length=12))
    data = json.loads(tok.to_str())
    data["added_tokens"] = [x for x in data["added_tokens"] if x["id"] < 3]
    tok = Tokenizer.from_str(json.dumps(data))
    tok.post_processor = processors.TemplateProcessing(
        single="<s> $A", pair="<s> $A <s>:1 $B:1", special_tokens=[("<s>", 1)])
    return tok


def unigram(normalized):
    out = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(CORPUS), model_writer=out, vocab_size=2200, model_type="unigram",
        character_coverage=0.98, hard_vocab_limit=False, minloglevel=2)
    proto = sentencepiece_model_pb2.ModelProto()
    proto.ParseFromString(out.getvalue())
    tok = Tokenizer(models.Unigram([(p.piece, p.score) for p in proto.pieces], 0, False))
    if normalized:
        tok.normalizer = normalizers.Sequence([
            normalizers.Strip(), normalizers.NFKD(), normalizers.StripAccents(), normalizers.Lowercase()])
        tok.pre_tokenizer = pre_tokenizers.Sequence([
            pre_tokenizers.WhitespaceSplit(), pre_tokenizers.Digits(individual_digits=True),
            pre_tokenizers.Punctuation(), pre_tokenizers.Metaspace()])
    else:
        tok.normalizer = normalizers.Sequence([
            normalizers.Precompiled(proto.normalizer_spec.precompiled_charsmap),
            normalizers.Replace(Regex(" {2,}"), " ")])
        tok.pre_tokenizer = pre_tokenizers.Metaspace()
    tok.add_special_tokens(["<s>", "</s>", AddedToken("<mask>", lstrip=True)])
    tok.add_tokens([AddedToken("Zürich", normalized=True, single_word=True)])
    tok.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>", pair="<s> $A </s> $B </s>", special_tokens=[("<s>", 1), ("</s>", 2)])
    return tok


for name, tok in {
    "bpe-gpt2": byte_level(), "bpe-llama3": byte_level(LLAMA3, ignore_merges=True),
    "bpe-o200k": byte_level(O200K), "bpe-qwen": byte_level(LLAMA3.replace("{1,3}", ""), nfc=True),
    "bpe-sentencepiece": sentence_piece(False), "bpe-metaspace": sentence_piece(True),
    "unigram": unigram(False), "unigram-normalized": unigram(True),
}.items():
    data = json.loads(tok.to_str())
    (ROOT / f"{name}.json").write_text(json.dumps(data) + "\n")
    (ROOT / f"{name}.golden.json").write_text(json.dumps(
        [{"text": x, "ids": tok.encode(x).ids} for x in TEXTS], ensure_ascii=True) + "\n")
    print(name, tok.get_vocab_size())

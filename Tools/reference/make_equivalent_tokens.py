#!/usr/bin/env python3
"""Writes Tests/Fixtures/tokenizers/equivalents-*: tokenizers whose tokens, merges and added tokens are
canonically equivalent to each other, or begin with a combining mark, and their ids.
Needs: pip install tokenizers."""
import json
import pathlib

from tokenizers import AddedToken, Tokenizer, models, normalizers, pre_tokenizers, processors

ROOT = pathlib.Path(__file__).parents[2] / "Tests/Fixtures/tokenizers"
# Composed and decomposed e acute, A with ring and the sign of the angstrom, K and the sign of the kelvin,
# combining acute and grave, a vowel sign of Devanagari.
LETTERS = ["a", "\u00e9", "e\u0301", "\u00c5", "A\u030a", "\u212b", "K", "\u212a", "e", "A", "\u0301", "\u0300", "\u093f",
           " ", "x"]
TEXTS = ["\u00e9", "e\u0301", "a\u00e9e\u0301a", "K \u212a", "\u212aK", "\u00c5\u212bA\u030a", "\u0301", "\u093f a", "a\u0300 \u0301x",
         "x \u0301a", "<\u00e9>x<e\u0301>", "a <e\u0301>", "\u00e9\u0301"]


def word_piece():
    tokens = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    tokens += [x for x in LETTERS if x != " "] + ["##" + x for x in LETTERS if x != " "]
    tok = Tokenizer(models.WordPiece({t: i for i, t in enumerate(tokens)}, unk_token="[UNK]"))
    tok.normalizer = normalizers.BertNormalizer(lowercase=False, strip_accents=False)
    tok.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tok.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", pair="[CLS] $A [SEP] $B [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)])
    tok.add_special_tokens(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"])
    return tok


def byte_pairs():
    tokens = ["<unk>", *(x for x in LETTERS if len(x) == 1), "e\u0301", "A\u030a", "\u00e9a", "e\u0301a", " \u0301"]
    merges = [("e", "\u0301"), ("A", "\u030a"), ("\u00e9", "a"), ("e\u0301", "a"), (" ", "\u0301")]
    tokens.insert(2, "\u030a")
    tok = Tokenizer(models.BPE({t: i for i, t in enumerate(tokens)}, merges, unk_token="<unk>"))
    tok.add_tokens([AddedToken("<\u00e9>", normalized=False), AddedToken("<e\u0301>", normalized=False)])
    return tok


for name, tok in {"equivalents-wordpiece": word_piece(), "equivalents-bpe": byte_pairs()}.items():
    data = json.loads(tok.to_str())
    if name.endswith("bpe"):
        # As old files have them: one text for each pair, with a space between.
        data["model"]["merges"] = [m if isinstance(m, str) else " ".join(m) if " " not in m else m for m in
                                   data["model"]["merges"]]
    (ROOT / f"{name}.json").write_text(json.dumps(data) + "\n")
    (ROOT / f"{name}.golden.json").write_text(json.dumps(
        [{"text": x, "ids": tok.encode(x).ids} for x in TEXTS]) + "\n")
    print(name, tok.get_vocab_size())

#!/usr/bin/env python3
"""Writes Tests/Fixtures/static: tiny models of static embeddings with random rows, as model2vec,
sentence-transformers and WordLlama save them, and the vectors that these libraries compute.
Needs: pip install model2vec sentence-transformers wordllama.
"""
import json
import pathlib
import shutil

import numpy as np
from model2vec import StaticModel
from safetensors.numpy import save_file
from sentence_transformers import SentenceTransformer
from sentence_transformers.models import Normalize, StaticEmbedding
from tokenizers import (Tokenizer, decoders, models, normalizers, pre_tokenizers, processors,
                        trainers)
from wordllama.inference import WordLlamaInference

ROOT = pathlib.Path(__file__).parents[2] / "Tests/Fixtures/static"
TEXTS = ["", "hello world", "the quick brown fox jumps over the lazy dog", "ÜBER zzz qqq the",
         "zzz qqq", "hello [UNK] <unk> world", "the " * 40, "naïve 日本語 fox " * 6,
         "supercalifragilistic" * 3]
CORPUS = ["hello world the quick brown fox jumps over the lazy dog über naïve"] * 20


def word_piece():
    t = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    t.normalizer = normalizers.BertNormalizer(lowercase=True)
    t.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    t.train_from_iterator(CORPUS, trainers.WordPieceTrainer(
        vocab_size=90, special_tokens=["[PAD]", "[UNK]"], show_progress=False))
    return t


def bert_word_piece():
    t = word_piece()
    t.add_special_tokens(["[CLS]", "[SEP]"])
    t.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[(x, t.token_to_id(x)) for x in ["[CLS]", "[SEP]"]])
    return t


def byte_pairs():
    t = Tokenizer(models.BPE())
    t.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    t.decoder = decoders.ByteLevel()
    t.train_from_iterator(CORPUS, trainers.BpeTrainer(
        vocab_size=320, initial_alphabet=pre_tokenizers.ByteLevel.alphabet(), show_progress=False))
    return t


def unigram():
    t = Tokenizer(models.Unigram())
    t.normalizer = normalizers.NFKC()
    t.pre_tokenizer = pre_tokenizers.Metaspace()
    t.train_from_iterator(CORPUS, trainers.UnigramTrainer(
        vocab_size=60, special_tokens=["<pad>", "<unk>"], unk_token="<unk>", show_progress=False))
    return t


def table(tokenizer, columns=24, rows=None, kind=np.float32):
    random = np.random.default_rng(columns)
    values = random.standard_normal((rows or tokenizer.get_vocab_size(), columns))
    return (values * 40).astype(np.int8) if kind == np.int8 else values.astype(kind)


def model2vec(name, tokenizer, **options):
    vectors = options.pop("vectors", None)
    config = options.pop("config", {})
    model = StaticModel(table(tokenizer) if vectors is None else vectors, tokenizer,
                        config={"model_type": "model2vec", "architectures": ["StaticModel"],
                                "seq_length": 1000000, "apply_zipf": True, **config}, **options)
    model.save_pretrained(ROOT / name)
    for file in (ROOT / name).iterdir():
        if file.name not in ("model.safetensors", "tokenizer.json", "config.json", "modules.json"):
            file.unlink() if file.is_file() else shutil.rmtree(file)
    # What the folder's own reader computes.
    return StaticModel.from_pretrained(ROOT / name).encode(TEXTS)


def main():
    shutil.rmtree(ROOT, ignore_errors=True)
    ROOT.mkdir(parents=True)
    golden = {}
    words, pieces, pairs = word_piece(), unigram(), byte_pairs()
    count = words.get_vocab_size()
    random = np.random.default_rng(3)
    golden["plain"] = model2vec("plain", bert_word_piece(), normalize=True)
    golden["short"] = model2vec("short", words, normalize=True, max_length=6,
                                config={"max_length": 6, "normalize": True})
    golden["weighted"] = model2vec(
        "weighted", words, vectors=table(words, 16, rows=20), normalize=False,
        weights=random.uniform(0.1, 2, count).astype(np.float32),
        token_mapping=random.integers(0, 20, count), config={"normalize": False})
    golden["half"] = model2vec("half", pairs, vectors=table(pairs, 16, kind=np.float16),
                               normalize=True, config={"max_length": None})
    golden["int8"] = model2vec("int8", pieces, vectors=table(pieces, 16, kind=np.int8),
                               normalize=True)
    st = SentenceTransformer(modules=[StaticEmbedding(words, embedding_weights=table(words, 24)),
                                      Normalize()], device="cpu",
                             prompts={"query": "the fox ", "document": ""})
    st.save(str(ROOT / "sentences"), create_model_card=False)
    for extra in ("README.md", "config.json"):
        (ROOT / "sentences" / extra).unlink(missing_ok=True)
    golden["sentences"] = st.encode(TEXTS)
    golden["sentences-query"] = st.encode(TEXTS, prompt_name="query")
    folder = ROOT / "wordllama"
    (folder / "weights").mkdir(parents=True)
    (folder / "tokenizers").mkdir()
    rows = table(pairs, 32, kind=np.float16)
    save_file({"embedding.weight": rows}, folder / "weights/tiny_cat_32.safetensors")
    pairs.save(str(folder / "tokenizers/tiny_cat_tokenizer_config.json"))
    golden["wordllama"] = np.array([WordLlamaInference(rows, pairs).embed(t)[0] for t in TEXTS])
    (ROOT / "golden.json").write_text(json.dumps(
        {"texts": TEXTS, "vectors": {n: [[round(float(x), 5) for x in row] for row in v]
                                     for n, v in golden.items()}}, indent=0) + "\n")
    for file in sorted(ROOT.rglob("*")):
        if file.is_file():
            print(file.relative_to(ROOT), file.stat().st_size)


main()

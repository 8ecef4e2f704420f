"""Measures peak memory by text length, batch, vocabulary and model size, for footprint.py."""
import subprocess
import sys

from drawing import lines_chart
from peers import export
from programs import CACHE, CHECKPOINT, VDSQ, VDSQ_RUN, lines, measured, model

FOLDER = CACHE / "growth"
LABELS = ["--labels", "billing,outage,account,spam"]


def checkpoint(vocabulary, hidden, layers):
    """A BERT with random weights and a WordPiece tokenizer of made-up words, converted for both programs."""
    name = f"bert-{vocabulary}-{hidden}x{layers}"
    folder, ours, theirs = FOLDER / name, FOLDER / f"{name}.vdsq", FOLDER / f"{name}-int8.onnx"
    if not (folder / "tokenizer.json").exists():
        import torch
        from tokenizers import BertWordPieceTokenizer
        from transformers import BertConfig, BertModel
        from transformers.utils import logging
        logging.disable_progress_bar()
        folder.mkdir(parents=True, exist_ok=True)
        words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"] + [chr(c) for c in range(33, 127) if not chr(c).isupper()]
        words += [f"##{chr(c)}" for c in range(97, 123)] + [f"##{d}" for d in range(10)]
        words += [f"w{i}" for i in range(vocabulary - len(words))]
        (folder / "vocab.txt").write_text("\n".join(words) + "\n")
        torch.manual_seed(0)
        BertModel(BertConfig(
            vocab_size=vocabulary, hidden_size=hidden, num_hidden_layers=layers, num_attention_heads=hidden // 64,
            intermediate_size=4 * hidden)).half().save_pretrained(folder)
        BertWordPieceTokenizer(str(folder / "vocab.txt")).save(str(folder / "tokenizer.json"))
    if not ours.exists():
        subprocess.run([VDSQ, "convert", folder, "-o", ours, "-q"], check=True)
    export(str(folder), theirs)
    return str(ours), [sys.executable, "Benchmarks/peers.py", "onnxruntime", str(theirs), str(folder)]


def peaks(encoder, peer, texts, options=()):
    """Peak MB of vdsq-run resident, of vdsq-run streamed, and of the peer."""
    plain = "".join(t + "\n" for t in texts).encode()
    run = [VDSQ_RUN, encoder, *LABELS, *options]
    commands = [(run, plain), (run + ["--memory-policy", "stream"], plain), (peer, lines(texts))]
    return [measured(command, data)[2] / 1e6 for command, data in commands]


def sweep(title, values, peaks_at, folder, file, ours="vdsq-run"):
    names = (ours, f"{ours}, streamed", "ONNX Runtime int8 (Python)")
    print(f"\n| {title} | " + " | ".join(names) + " |\n|---|" + "---|" * len(names))
    curves = [[] for _ in names]
    for value in values:
        at, row = peaks_at(value)
        print(f"| {at:g} | " + " | ".join(f"{peak:.1f}" for peak in row) + " |", flush=True)
        for curve, peak in zip(curves, row):
            curve.append((at, peak))
    if folder:
        lines_chart(folder / file, list(zip(names, curves)), title, "peak RSS, MB", log_x=True, log_y=True, marks=True)


def growth(folder):
    minilm, peer = model("int8"), [sys.executable, "Benchmarks/peers.py", "onnxruntime", str(CACHE / "minilm-int8.onnx"),
                                   CHECKPOINT]
    words = [f"{a}{b}" for a in "abcdefgh" for b in ("ir", "ox", "um", "it")]

    def text(tokens, i):
        return " ".join(words[(i + j) % len(words)] for j in range(tokens))

    def length(tokens):
        return tokens, peaks(minilm, peer, [text(tokens, i) for i in range(50)])

    def batch(size):
        texts = [text(60, i) for i in range(4 * size)]
        plain = "".join(t + "\n" for t in texts).encode()
        ours = [VDSQ, "classify", minilm, *LABELS, "--threads", "1", "--max-tokens", "64", "--batch", str(size)]
        commands = [(ours, plain), (ours + ["--memory-policy", "stream"], plain), (peer + [str(size)], lines(texts))]
        return size, [measured(command, data)[2] / 1e6 for command, data in commands]

    def sized(shape):
        return peaks(*checkpoint(*shape), [text(12, i) for i in range(50)])

    sweep("words in a text", (4, 16, 32, 64, 128, 250), length, folder, "footprint-length.svg")
    sweep("texts of 64 tokens in a batch", (1, 4, 16, 64), batch, folder, "footprint-batch.svg", "vdsq classify")
    sweep("words in the vocabulary", (8_000, 30_000, 60_000, 120_000, 250_000),
          lambda v: (v, sized((v, 384, 6))), folder, "footprint-vocabulary.svg")
    shapes = ((30_522, 128, 2), (30_522, 256, 4), (30_522, 384, 6), (30_522, 512, 8), (30_522, 768, 12))
    sweep("millions of parameters", shapes,
          lambda s: ((s[0] * s[1] + 512 * s[1] + 12 * s[1] ** 2 * s[2]) / 1e6, sized(s)), folder, "footprint-model.svg")

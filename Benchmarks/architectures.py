"""The speed of encoders other than BERT beside ONNX Runtime int8, by the length of a text.

    architectures.py [NAME...] [--tokens 32,128,512,2048] [--rounds 5] [--threads 1] [--seconds 1]

Each is a full-size checkpoint with random weights, whose speed is that of a trained one: the shapes of
all-mpnet-base-v2, nomic-embed-text-v1.5, gte-multilingual-base, ModernBERT-base and deberta-v3-base, with MiniLM's
tokenizer. ONNX Runtime has transformers' model, dynamically quantized per channel. Both encode one text of N tokens;
the two take turns, and figures are medians of the turns.
"""
import argparse
import json
import pathlib
import subprocess
import time

import numpy as np

from peers import export
from programs import CACHE, CHECKPOINT, VDSQ

LARGE = dict(hidden_size=768, num_hidden_layers=12, num_attention_heads=12, intermediate_size=3072)
LONG = dict(max_position_embeddings=8192)


def configurations():
    import transformers as t
    words = dict(vocab_size=30522)
    return {
        "mpnet": (t.MPNetConfig(**LARGE, **words, max_position_embeddings=514), 512),
        "nomic-bert": (t.NomicBertConfig(**LARGE, **words, **LONG), 2048),
        "gte": (t.GteConfig(**LARGE, **words, **LONG), 2048) ,
        "modernbert": (t.ModernBertConfig(
            hidden_size=768, num_hidden_layers=22, num_attention_heads=12, intermediate_size=1152, **words, **LONG,
            pad_token_id=0, cls_token_id=101, bos_token_id=101, sep_token_id=102, eos_token_id=102), 2048),
        "deberta": (t.DebertaV2Config(
            **LARGE, **words, max_position_embeddings=512, relative_attention=True, position_buckets=256,
            pos_att_type=["p2c", "c2p"], norm_rel_ebd="layer_norm", share_att_key=True, type_vocab_size=0,
            position_biased_input=False), 512),
    }


def checkpoint(name, config, longest):
    """A folder with random weights of a configuration."""
    folder = CACHE / f"shape-{name}"
    if not (folder / "model.safetensors").exists():
        import torch
        from transformers import AutoModel, AutoTokenizer
        torch.manual_seed(0)
        AutoModel.from_config(config).save_pretrained(folder)
        AutoTokenizer.from_pretrained(CHECKPOINT, model_max_length=longest).save_pretrained(folder)
    return folder


class Peer:
    def __init__(self, path, threads):
        import onnxruntime
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        self.session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])

    def milliseconds(self, tokens, seconds):
        ids = np.full((1, tokens), 2000)
        inputs = {"input_ids": ids, "attention_mask": np.ones_like(ids)}
        self.session.run(None, inputs)
        times, end = [], time.perf_counter() + seconds
        while not times or time.perf_counter() < end:
            begin = time.perf_counter()
            self.session.run(None, inputs)
            times.append(time.perf_counter() - begin)
        return np.median(times) * 1e3


def milliseconds(model, tokens, threads, seconds):
    rows = json.loads(subprocess.run(
        [VDSQ, "bench", model, "--tokens", str(tokens), "--threads", str(threads), "--seconds", str(seconds),
         "--json"], capture_output=True, check=True).stdout)
    return rows[0]["ms"]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("names", nargs="*")
    parser.add_argument("--tokens", default="32,128,512,2048")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--seconds", type=float, default=1)
    arguments = parser.parse_args()
    print("| shape | tokens | vdsq int8, ms | ONNX Runtime int8, ms | speedup |\n|---|---|---|---|---|")
    for name, given in configurations().items():
        if arguments.names and name not in arguments.names:
            continue
        config, longest = given
        folder = checkpoint(name, config, longest)
        model = f"{folder}.vdsq"
        if not pathlib.Path(model).exists():
            subprocess.run([VDSQ, "convert", folder, "-o", model, "-q"], check=True)
        exported = pathlib.Path(f"{folder}-int8.onnx")
        export(str(folder), exported)
        peer = Peer(exported, arguments.threads)
        for tokens in map(int, arguments.tokens.split(",")):
            if tokens > longest:
                continue
            own, other = [], []
            for _ in range(arguments.rounds):
                own.append(milliseconds(model, tokens, arguments.threads, arguments.seconds))
                other.append(peer.milliseconds(tokens, arguments.seconds))
            a, b = np.median(own), np.median(other)
            print(f"| {name} | {tokens} | {a:.1f} | {b:.1f} | {b / a:.2f}x |", flush=True)


if __name__ == "__main__":
    main()

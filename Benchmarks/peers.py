"""What a peer's process runs: peers.py NAME, one JSON text a line on standard input. Classifies by the
nearest label, as ours do, and prints a label a line."""
import json
import sys

import numpy as np

from programs import CACHE, CHECKPOINT

LABELS = ["billing", "outage", "account", "spam", "feature request"]


def sentence_transformers():
    from sentence_transformers import SentenceTransformer
    model = SentenceTransformer(CHECKPOINT, device="cpu")
    return lambda texts: model.encode(texts, batch_size=32)


def onnx_runtime():
    import onnxruntime
    from tokenizers import Tokenizer
    tokenizer = Tokenizer.from_file(CHECKPOINT + "/tokenizer.json")
    tokenizer.no_padding()
    tokenizer.enable_truncation(256)
    options = onnxruntime.SessionOptions()
    session = onnxruntime.InferenceSession(
        str(CACHE / "minilm-int8.onnx"), options, providers=["CPUExecutionProvider"])

    def encode(texts):
        rows = []
        for text in texts:
            ids = np.array([tokenizer.encode(text).ids])
            states, = session.run(None, {"input_ids": ids, "attention_mask": np.ones_like(ids)})
            rows.append(states[0].mean(0))
        rows = np.array(rows)
        return rows / np.linalg.norm(rows, axis=1, keepdims=True)
    return encode


def export():
    """The checkpoint as ONNX, dynamically quantized to int8 per channel: made once."""
    if (CACHE / "minilm-int8.onnx").exists():
        return
    import torch
    from onnxruntime.quantization import QuantType, quantize_dynamic
    from transformers import AutoModel

    class States(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.model = AutoModel.from_pretrained(CHECKPOINT, attn_implementation="eager")

        def forward(self, input_ids, attention_mask):
            return self.model(input_ids=input_ids, attention_mask=attention_mask).last_hidden_state

    ids = torch.ones(1, 8, dtype=torch.long)
    torch.onnx.export(
        States().eval(), (ids, ids), str(CACHE / "minilm.onnx"), opset_version=17, dynamo=False,
        input_names=["input_ids", "attention_mask"], output_names=["states"],
        dynamic_axes={n: {0: "batch", 1: "tokens"} for n in ["input_ids", "attention_mask", "states"]})
    quantize_dynamic(str(CACHE / "minilm.onnx"), str(CACHE / "minilm-int8.onnx"), per_channel=True,
                     weight_type=QuantType.QInt8)


if __name__ == "__main__":
    encode = {"sentence-transformers": sentence_transformers, "onnxruntime": onnx_runtime}[sys.argv[1]]()
    anchors = encode(LABELS)
    texts = [json.loads(line)["text"] for line in sys.stdin]
    for row in encode(texts) @ anchors.T:
        print(LABELS[int(row.argmax())])

#!/usr/bin/env python3
"""Writes Tests/Fixtures/onnx: tiny encoders with random weights as ONNX files of several exporters,
opsets, element types and optimizers, and the vectors that ONNX Runtime computes with them.
Needs: pip install transformers onnx onnxscript onnxruntime.

make_onnx.py [FOLDER]   all of them, also those that are not kept in the repository
"""
import json
import pathlib
import sys
import tempfile
import warnings

import numpy as np
import onnx
import onnxruntime
import torch
from onnxruntime.quantization import QuantType, quantize_dynamic
from onnxruntime.transformers import float16, optimizer
from onnxruntime.transformers.fusion_options import FusionOptions
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors
from transformers import (BertConfig, BertForSequenceClassification, BertModel, DistilBertConfig,
                          DistilBertModel, RobertaConfig, RobertaModel, XLMRobertaConfig,
                          XLMRobertaModel)

warnings.filterwarnings("ignore")
ROOT = pathlib.Path(__file__).parents[2] / "Tests/Fixtures/onnx"
# Those that the repository keeps; others differ less.
KEPT = {
    "bert-11", "bert-14-sdpa", "bert-17", "bert-dynamo", "bert-external", "distilbert-14",
    "distilbert-dynamo", "roberta-17", "xlm-roberta-dynamo", "bert-f16", "bert-int8",
    "bert-int8-channels", "bert-fused", "bert-fused-int8", "bert-mean-normalized", "bert-first",
    "bert-relu-fixed", "classifier"}
TEXTS = ["a b c", "d", "the e f g a b", "a b c d e f g h i j k l m n o p"]
WORDS = ["<pad>", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "the"] + [chr(97 + i) for i in range(20)]


def tokenizer():
    t = Tokenizer(models.WordPiece({w: i for i, w in enumerate(WORDS)}, unk_token="[UNK]"))
    t.normalizer = normalizers.BertNormalizer()
    t.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    t.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)])
    return t


def randomize(model):
    for parameter in model.parameters():
        if parameter.ndim == 1:
            parameter.data += torch.randn_like(parameter) * 0.1
    return model.eval()


SIZES = dict(vocab_size=len(WORDS), hidden_size=16, num_hidden_layers=2, num_attention_heads=2,
             intermediate_size=24, initializer_range=0.3)


def make(kind, **more):
    torch.manual_seed(len(kind))
    if kind == "bert":
        c = BertConfig(**{**SIZES, "max_position_embeddings": 24, **more})
        return c, BertModel(c, add_pooling_layer=False)
    if kind == "distilbert":
        c = DistilBertConfig(vocab_size=len(WORDS), dim=16, n_layers=2, n_heads=2, hidden_dim=24,
                             max_position_embeddings=24, initializer_range=0.3)
        return c, DistilBertModel(c)
    cls, config = ((RobertaModel, RobertaConfig) if kind == "roberta" else
                   (XLMRobertaModel, XLMRobertaConfig))
    c = config(**{**SIZES, "max_position_embeddings": 26, "type_vocab_size": 1, "pad_token_id": 0,
                  **more})
    return c, cls(c, add_pooling_layer=False)


class Wrapper(torch.nn.Module):
    """The states of a model, and what else an export makes of them."""

    def __init__(self, model, output):
        super().__init__()
        self.model, self.output = model, output

    def forward(self, input_ids, attention_mask, token_type_ids=None):
        more = {} if token_type_ids is None else {"token_type_ids": token_type_ids}
        result = self.model(input_ids=input_ids, attention_mask=attention_mask, **more)
        if self.output == "logits":
            return result.logits
        states = result.last_hidden_state
        if self.output == "states":
            return states
        if self.output == "first":
            return states, states[:, 0]
        mask = attention_mask.unsqueeze(-1).expand(states.size()).float()
        mean = (states * mask).sum(1) / torch.clamp(mask.sum(1), min=1e-9)
        return states, torch.nn.functional.normalize(mean, p=2, dim=1)


def export(path, model, opset, dynamo, attention="eager", types=True, output="states", fixed=False):
    try:
        model.set_attn_implementation(attention)
    except (AttributeError, ValueError):
        model.config._attn_implementation = attention
    shape = (1, 12) if fixed else (2, 7)
    ids = torch.randint(5, len(WORDS), shape)
    mask = torch.ones(shape, dtype=torch.long)
    mask[-1, 5:] = 0
    inputs = (ids, mask) + ((torch.zeros_like(ids),) if types else ())
    names = ["input_ids", "attention_mask", "token_type_ids"][:len(inputs)]
    outputs = {"states": ["last_hidden_state"], "logits": ["logits"]}.get(
        output, ["token_embeddings", "sentence_embedding"])
    options = {}
    if dynamo:
        auto = torch.export.Dim.AUTO
        options = dict(dynamic_shapes=tuple({0: auto, 1: auto} for _ in names),
                       external_data=False)
    elif not fixed:
        options = dict(dynamic_axes={n: {0: "batch", 1: "sequence"} for n in names})
    with torch.no_grad():
        torch.onnx.export(Wrapper(model, output).eval(), inputs, str(path), input_names=names,
                          output_names=outputs, opset_version=opset, dynamo=dynamo, **options)


def fuse(source, target, float16=False):
    options = FusionOptions("bert")
    m = optimizer.optimize_model(str(source), "bert", num_heads=2, hidden_size=16,
                                 optimization_options=options, opt_level=0)
    if float16:
        m.convert_float_to_float16(keep_io_types=True)
    m.save_model_to_file(str(target))


def seed(name, source):
    """Keeps a small file for the fuzzer, without names and with as few bytes as possible."""
    m = onnx.load(str(source))
    names = {"": ""}
    for port in list(m.graph.input) + list(m.graph.output):
        names[port.name] = port.name
    for node in m.graph.node:
        node.name, node.doc_string = "", ""
        del node.metadata_props[:]
        for values in (node.input, node.output):
            for i, value in enumerate(values):
                values[i] = names.setdefault(value, f"v{len(names)}")
    for tensor in m.graph.initializer:
        tensor.name = names.get(tensor.name, tensor.name)
    del m.graph.value_info[:], m.metadata_props[:]
    folder = pathlib.Path(__file__).parents[2] / "Tests/Fuzzing/Seeds/onnx"
    folder.mkdir(exist_ok=True)
    (folder / name).write_bytes(m.SerializeToString())
    print("seed", name, m.ByteSize())


def seeds(folder):
    config, model = make("bert", hidden_size=4, num_hidden_layers=1, intermediate_size=6)
    randomize(model)
    for name, opset, dynamo, output in [("opset14", 14, False, "states"), ("mean", 17, False, "mean"),
                                        ("dynamo", 18, True, "first")]:
        export(folder / "s.onnx", model, opset, dynamo, "sdpa", output=output)
        seed(name, folder / "s.onnx")
    quantize_dynamic(str(folder / "s.onnx"), str(folder / "q.onnx"), per_channel=True)
    seed("int8", folder / "q.onnx")
    export(folder / "s.onnx", model, 14, False, "eager")
    fuse(folder / "s.onnx", folder / "f.onnx")
    seed("fused", folder / "f.onnx")


def vectors(path, pooling, fixed=False):
    session = onnxruntime.InferenceSession(str(path))
    names = [i.name for i in session.get_inputs()]
    t = tokenizer()
    if fixed:
        t.enable_padding(length=12)
        t.enable_truncation(12)
    rows = []
    for text in TEXTS:
        e = t.encode(text)
        feed = {"input_ids": e.ids, "attention_mask": e.attention_mask,
                "token_type_ids": [0] * len(e.ids)}
        feed = {n: np.array([feed[n]], np.int64) for n in names}
        results = {o.name: r for o, r in zip(session.get_outputs(), session.run(None, feed))}
        if pooling == "own":
            rows.append(results["sentence_embedding"][0])
            continue
        states = [r for r in results.values() if r.ndim == 3][0][0]
        kept = np.array(e.attention_mask, bool)
        rows.append(states[kept].mean(0) if pooling == "mean" else states[0])
    return [[round(float(x), 6) for x in row] for row in rows]


def main():
    target = pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT
    everything = len(sys.argv) > 1
    target.mkdir(parents=True, exist_ok=True)
    tokenizer().save(str(target / "tokenizer.json"))
    golden = {}

    def keep(name, path, config, pooling="mean", fixed=False, external=False):
        if not everything and name not in KEPT:
            return
        m = onnx.load(str(path))
        for node in m.graph.node:  # Stacks of the exporter.
            del node.metadata_props[:]
            node.doc_string = ""
        file = target / f"{name}.onnx"
        data = target / f"{name}.onnx_data"
        data.unlink(missing_ok=True)
        onnx.save(m, str(file), save_as_external_data=external, location=data.name,
                  size_threshold=256)
        try:
            rows = [] if pooling == "none" else vectors(file, pooling, fixed)
        except Exception as error:  # Some conversions write what ONNX Runtime does not run.
            print(name, "does not run:", str(error)[:200])
            file.unlink()
            return
        golden[name] = {"config": json.loads(config.to_json_string()), "pooling": pooling,
                        "vectors": rows}
        print(name, file.stat().st_size, flush=True)

    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        if not everything:
            seeds(folder)
        for kind in ["bert", "distilbert", "roberta", "xlm-roberta"]:
            config, model = make(kind)
            randomize(model)
            types = kind == "bert"
            for opset in [11, 12, 13, 14, 15, 16, 17, 18]:
                for attention in ["eager", "sdpa"]:
                    # PyTorch does not export the other attention to earlier opsets.
                    if attention == "sdpa" and opset < 14:
                        continue
                    name = f"{kind}-{opset}" + ("-sdpa" if attention == "sdpa" else "")
                    if not everything and name not in KEPT:
                        continue
                    path = folder / f"{name}.onnx"
                    try:
                        export(path, model, opset, False, attention, types)
                    except Exception as error:  # transformers cannot export all of them.
                        print(name, "is not exported:", str(error)[:80])
                        continue
                    keep(name, path, config)
            for attention in ["eager", "sdpa"]:
                name = f"{kind}-dynamo" + ("-eager" if attention == "eager" else "")
                if not everything and name not in KEPT:
                    continue
                path = folder / f"{name}.onnx"
                export(path, model, 18, True, attention, types)
                keep(name, path, config)
        config, model = make("bert")
        randomize(model)
        plain, named = folder / "plain.onnx", folder / "named.onnx"
        export(plain, model, 14, False, "eager")
        export(named, model, 17, False, "sdpa")
        keep("bert-external", named, config, external=True)
        for name, source in [("bert-f16", named), ("bert-f16-14", plain)]:
            onnx.save(float16.convert_float_to_float16(onnx.load(str(source)), keep_io_types=True),
                      str(folder / "half.onnx"))
            keep(name, folder / "half.onnx", config)
        for name, options in [("bert-int8", dict(weight_type=QuantType.QInt8)),
                              ("bert-uint8", dict(weight_type=QuantType.QUInt8)),
                              ("bert-int8-channels", dict(weight_type=QuantType.QInt8,
                                                          per_channel=True)),
                              ("bert-int8-reduced", dict(weight_type=QuantType.QInt8,
                                                         per_channel=True, reduce_range=True))]:
            for source, suffix in [(plain, ""), (named, "-sdpa")]:
                quantize_dynamic(str(source), str(folder / "int8.onnx"), **options)
                keep(name + suffix, folder / "int8.onnx", config)
        fuse(plain, folder / "fused.onnx")
        keep("bert-fused", folder / "fused.onnx", config)
        fuse(plain, folder / "fused16.onnx", float16=True)
        keep("bert-fused-f16", folder / "fused16.onnx", config)
        quantize_dynamic(str(folder / "fused.onnx"), str(folder / "fused8.onnx"),
                         extra_options={"DefaultTensorType": onnx.TensorProto.FLOAT})
        keep("bert-fused-int8", folder / "fused8.onnx", config)
        export(folder / "mean.onnx", model, 14, False, "eager", output="mean")
        keep("bert-mean-normalized", folder / "mean.onnx", config, "own")
        export(folder / "mean18.onnx", model, 18, True, "sdpa", output="mean")
        keep("bert-mean-dynamo", folder / "mean18.onnx", config, "own")
        export(folder / "first.onnx", model, 17, False, "sdpa", output="first")
        keep("bert-first", folder / "first.onnx", config, "own")
        export(folder / "first18.onnx", model, 18, True, "eager", output="first")
        keep("bert-first-dynamo", folder / "first18.onnx", config, "own")
        for activation in ["relu", "gelu_new", "silu", "gelu_pytorch_tanh"]:
            config, model = make("bert", hidden_act=activation, layer_norm_eps=1e-5)
            randomize(model)
            fixed = activation == "relu"
            export(folder / "a.onnx", model, 17, False, "sdpa", fixed=fixed)
            keep(f"bert-{activation}" + ("-fixed" if fixed else ""), folder / "a.onnx", config,
                 fixed=fixed)
            export(folder / "b.onnx", model, 18, True, "sdpa")
            keep(f"bert-{activation}-dynamo", folder / "b.onnx", config)
        torch.manual_seed(9)
        config = BertConfig(**{**SIZES, "max_position_embeddings": 24})
        export(folder / "c.onnx", randomize(BertForSequenceClassification(config)), 14, False,
               "eager", output="logits")
        keep("classifier", folder / "c.onnx", config, "none")
    (target / "golden.json").write_text(
        json.dumps({"texts": TEXTS, "models": golden}, indent=0) + "\n")


main()

#!/usr/bin/env python3
"""Writes Tests/Fixtures/sentence-modules.json: modules behind pooling, prompts and shortened vectors of
sentence-transformers, on the backbones of other fixtures, with random weights from a fixed seed. Needs:
pip install sentence-transformers.

Each entry adds `files` (JSON) and `weights` (safetensors: shape, and float32 in base64) to a copy of a
fixture. `vectors` are those of each text, `prompted` those with each prompt, `short` those of `dimensions`
that are scaled to length 1 again.
"""
import base64
import json
import os
import pathlib
import shutil
import tempfile

os.environ["TRANSFORMERS_VERBOSITY"] = "error"
import torch  # noqa: E402
from safetensors.torch import load_file  # noqa: E402
from sentence_transformers import SentenceTransformer  # noqa: E402
from sentence_transformers.sentence_transformer.modules import (  # noqa: E402
    Dense, LayerNorm, Normalize, Pooling)

FIXTURES = pathlib.Path(__file__).parents[2] / "Tests/Fixtures"
TEXTS = ["The capital of France is", "hello World", "It was great. " * 9, "naïve a"]
PROMPTS = {"query": "hello: ", "passage": "It was ", "none": ""}
BERT, QWEN3, ROBERTA = "bert-mean", "language-models/qwen3", "language-models/roberta"
ACTIVATIONS = dict(tanh=torch.nn.Tanh(), gelu=torch.nn.GELU(), identity=torch.nn.Identity(), relu=torch.nn.ReLU())


def entries():
    yield "dense", BERT, ["mean"], ["tanh 24"]
    yield "dense-normalized", BERT, ["cls"], ["gelu 40", "identity 16", "normalize"]
    yield "layer-norm", ROBERTA, ["mean"], ["norm", "relu 20"]
    yield "normalized-first", BERT, ["max"], ["normalize", "identity 30"]
    yield "poolings", BERT, ["cls", "max", "mean"], []
    yield "poolings-dense", BERT, ["weightedmean", "mean_sqrt_len_tokens"], ["identity 30", "normalize"]
    yield "decoder", QWEN3, ["lasttoken"], ["normalize"]
    yield "decoder-poolings", QWEN3, ["mean", "lasttoken"], ["tanh 24", "normalize"]
    yield "prompt-excluded", BERT, ["weightedmean", "cls", "max"], ["identity 30"], dict(include_prompt=False)
    yield "prompt-excluded-mean", BERT, ["mean"], ["normalize"], dict(include_prompt=False, default="query")
    yield "decoder-prompt-excluded", QWEN3, ["lasttoken", "weightedmean", "mean_sqrt_len_tokens"], [], dict(
        include_prompt=False, default="passage")


def rounded(vectors):
    return [[round(float(x), 6) for x in v] for v in vectors]


def main():
    torch.set_num_threads(1)
    torch.manual_seed(3)
    out = []
    with tempfile.TemporaryDirectory() as root:
        for name, base, poolings, kinds, *more in entries():
            settings = more[0] if more else {}
            folder, saved = pathlib.Path(root) / name, pathlib.Path(root) / f"{name}-saved"
            shutil.copytree(FIXTURES / base, folder)
            for extra in ["modules.json", "sentence_bert_config.json"]:
                (folder / extra).unlink(missing_ok=True)
            model = SentenceTransformer(str(folder), device="cpu", model_kwargs=dict(dtype=torch.float32))
            transformer = model[0]
            width = transformer.get_embedding_dimension()
            modules = [transformer, Pooling(
                width, pooling_mode=poolings[0] if len(poolings) == 1 else poolings,
                include_prompt=settings.get("include_prompt", True))]
            size = width * len(poolings)
            for kind in kinds:
                if kind == "normalize":
                    modules.append(Normalize())
                elif kind == "norm":
                    modules.append(LayerNorm(size))
                    torch.nn.init.normal_(modules[-1].norm.weight)
                    torch.nn.init.normal_(modules[-1].norm.bias)
                else:
                    activation, outputs = kind.split()
                    modules.append(Dense(size, int(outputs), activation_function=ACTIVATIONS[activation]))
                    size = int(outputs)
            model = SentenceTransformer(modules=modules, device="cpu", prompts=PROMPTS, default_prompt_name=settings.get("default"))
            model.save(str(saved))
            entry = dict(name=name, base=base, files={}, weights={})
            for path in sorted(saved.rglob("*")):
                part = str(path.relative_to(saved))
                if part in ["modules.json", "sentence_bert_config.json", "config_sentence_transformers.json"] or (
                        "/" in part and part.endswith("config.json")):
                    entry["files"][part] = json.loads(path.read_text())
                elif "/" in part and part.endswith(".safetensors"):
                    entry["weights"][part] = {k: dict(
                        shape=list(v.shape), data=base64.b64encode(v.float().contiguous().numpy().tobytes()).decode())
                        for k, v in load_file(path).items()}
            entry["vectors"] = rounded(model.encode(TEXTS))
            entry["prompted"] = {p: rounded(model.encode(TEXTS, prompt_name=p)) for p in PROMPTS}
            if kinds and kinds[-1] == "normalize":
                short = torch.tensor(model.encode(TEXTS, truncate_dim=12))
                entry.update(dimensions=12, short=rounded(torch.nn.functional.normalize(short, dim=-1)))
            out.append(entry)
    (FIXTURES / "sentence-modules.json").write_text(json.dumps(dict(texts=TEXTS, models=out)) + "\n")


main()

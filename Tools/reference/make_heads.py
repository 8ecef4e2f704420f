#!/usr/bin/env python3
"""Writes Tests/Fixtures/heads.json: heads of transformers on the backbones of other fixtures, with random
weights from a fixed seed, and what transformers' pipelines and sentence-transformers' CrossEncoder make of
50 inputs. Needs: pip install transformers sentence-transformers.

Each entry changes a copy of a fixture: `config` is set in config.json, `tensors` are added (shape, and
float32 in base64). `texts` and `pairs` refer to the lists of the same names.
"""
import base64
import json
import os
import pathlib
import random
import shutil
import tempfile

os.environ["TRANSFORMERS_VERBOSITY"] = "error"
import torch  # noqa: E402
import transformers as t  # noqa: E402
from safetensors.torch import load_file, save_file  # noqa: E402
from sentence_transformers import CrossEncoder  # noqa: E402

FIXTURES = pathlib.Path(__file__).parents[2] / "Tests/Fixtures"
WORDS = ("The capital of France is hello world def return It was great naïve Café 日本語 Ab a b Is it the "
         "hello, is! (was) great. World's x2 12 ünïcode pizza").split()
LABELS = ["food", "great world", "city", "return"]
N = 50


def sentences():
    chosen = random.Random(5)
    return [" ".join(chosen.choice(WORDS) for _ in range(chosen.choice([1, 2, 5, 9, 14]))) for _ in range(N)]


TEXTS = sentences()
# Spaces that tokenizers add, drop, join, or have in tokens.
SPACED = ["  hello world", "hello   world ", "hello\tworld\t!", " a  b   ", "naïve  Café ", "日本 語  hello",
          "hello\u00a0world x", "x \u3000 y", "a \u2581 b", "!  ?"]
PAIRS = [[TEXTS[i], TEXTS[(7 * i + 3) % N]] for i in range(N)]
# Of these, one or both texts are cut.
PAIRS += [[" ".join(TEXTS[i:i + n]), " ".join(TEXTS[i + 9:i + 9 + m])] for i, n, m in
          [(0, 9, 1), (3, 1, 9), (5, 9, 9), (8, 6, 9), (2, 12, 3)]]

BERT, CLASSES = "bert-mean", ["NEGATIVE", "neutral", "very positive"]
NLI = ["contradiction", "neutral", "entailment"]
NAMES = ["O", "B-PER", "I-PER", "B-LOC", "I-LOC", "MISC"]
CASES = [(kind, f"language-models/{kind}", labels, problem) for kind, labels, problem in [
    ("bert", CLASSES, None), ("roberta", CLASSES, "single_label_classification"),
    ("electra", ["a", "b"], None), ("distilbert", CLASSES, "multi_label_classification"),
    ("gpt2", CLASSES, None), ("llama", ["one"], None), ("mistral", CLASSES, None),
    ("qwen2", ["price", "size"], "regression"), ("qwen3", CLASSES, None), ("gpt-neox", ["x", "y"], None)]]
CASES += [("nli", BERT, NLI, None), ("nli-first", "language-models/roberta", NLI[::-1], None),
          ("ranking", BERT, ["LABEL_0"], None), ("ranking-identity", "language-models/roberta", ["LABEL_0"], None),
          ("regression", "language-models/electra", ["LABEL_0"], "regression")]


def files(folder):
    return {p.name: p for p in folder.iterdir() if p.is_file()}


def prepared(base, name, root):
    """A copy of a fixture with a head, and what changed."""
    folder = pathlib.Path(root) / name
    shutil.copytree(FIXTURES / base, folder)
    shutil.rmtree(folder / "1_Pooling", ignore_errors=True)
    for extra in ["modules.json", "sentence_bert_config.json"]:
        (folder / extra).unlink(missing_ok=True)
    return folder


def with_head(folder, kind, labels, changes):
    config = json.loads((folder / "config.json").read_text())
    changes = dict(changes, id2label={str(i): x for i, x in enumerate(labels)},
                   label2id={x: i for i, x in enumerate(labels)})
    config.update(changes)
    (folder / "config.json").write_text(json.dumps(config))
    torch.manual_seed(len(labels) + len(folder.name))
    model = kind.from_pretrained(folder, dtype=torch.float32, pad_token_id=config.get("pad_token_id") or 0).eval()
    with torch.no_grad():
        for head, p in model.named_parameters():
            if any(x in head for x in ["classifier", "score", "pooler"]):
                p.normal_(0, 0.4)
    old = load_file(folder / "model.safetensors")
    new = {k: v.float().contiguous() for k, v in model.state_dict().items()
           if any(x in k for x in ["classifier", "score", "pooler"])}
    save_file({**old, **new}, folder / "model.safetensors", metadata={"format": "pt"})
    changes["architectures"] = [type(model).__name__]
    config.update(changes)
    (folder / "config.json").write_text(json.dumps(config))
    tensors = {k: dict(shape=list(v.shape), data=base64.b64encode(v.numpy().tobytes()).decode())
               for k, v in new.items()}
    return model, dict(config=changes, tensors=tensors)


def rounded(scores):
    return [round(float(x), 6) for x in scores]


def classification(model, tokenizer, inputs, labels):
    """The scores of all labels of each input, in the order of the logits."""
    pipe = t.pipeline("text-classification", model=model, tokenizer=tokenizer, top_k=None)
    rows = []
    for x in inputs:
        x = x if isinstance(x, str) else dict(text=x[0], text_pair=x[1])
        out = pipe(x, truncation=True)
        scores = {d["label"]: d["score"] for d in (out[0] if isinstance(out[0], list) else out)}
        rows.append(rounded(scores[name] for name in labels))
    return rows


def zero_shot(model, tokenizer, multi):
    pipe = t.pipeline("zero-shot-classification", model=model, tokenizer=tokenizer)
    rows = []
    for x in TEXTS:
        out = pipe(x, LABELS, multi_label=multi)
        rows.append(rounded(out["scores"][out["labels"].index(name)] for name in LABELS))
    return rows


def tokenizer_of(folder, longest):
    tokenizer = t.PreTrainedTokenizerFast(
        tokenizer_file=str(folder / "tokenizer.json"), model_max_length=longest,
        pad_token="[PAD]" if "[PAD]" in (folder / "tokenizer.json").read_text() else None)
    return tokenizer


def text_entries(root):
    for name, base, labels, problem in CASES:
        folder = prepared(base, name, root)
        changes = {} if problem is None else dict(problem_type=problem)
        if name == "ranking-identity":
            changes["sentence_transformers"] = dict(activation_fn="torch.nn.modules.linear.Identity")
        model, entry = with_head(folder, t.AutoModelForSequenceClassification, labels, changes)
        tokenizer = t.AutoTokenizer.from_pretrained(folder, model_max_length=48)
        # The pipeline of one text has no padding.
        entry.update(name=name, base=base, labels=labels, texts=classification(model, tokenizer, TEXTS, labels))
        if name in ["bert", "roberta", "electra", "nli", "distilbert"]:
            entry["pairs"] = classification(model, tokenizer, PAIRS, labels)
        if name.startswith("nli"):
            entry["zero_shot"] = zero_shot(model, tokenizer, False)
            entry["zero_shot_multi"] = zero_shot(model, tokenizer, True)
        if name.startswith("ranking"):
            tokenizer.save_pretrained(folder)
            ranker = CrossEncoder(str(folder), max_length=48)
            entry["ranking"] = [rounded(ranker.predict([[TEXTS[i], p] for p in TEXTS])) for i in (1, 8)]
        yield entry


def tag_entries(root):
    strategies = ["none", "simple", "first", "average", "max"]
    for kind, base in [("bert", BERT), ("cased", "bert-max-bf16"), ("roberta", "language-models/roberta"),
                       ("gpt2", "language-models/gpt2"), ("mistral", "language-models/mistral")]:
        name = f"tags-{kind}"
        folder = prepared(base, name, root)
        model, entry = with_head(folder, t.AutoModelForTokenClassification, NAMES, {})
        tokenizer = t.AutoTokenizer.from_pretrained(folder, model_max_length=48)
        if kind == "cased":
            # Without tokenizer_config.json, BertTokenizer lowercases whatever tokenizer.json says.
            tokenizer = t.PreTrainedTokenizerFast(
                tokenizer_file=str(folder / "tokenizer.json"), model_max_length=48, unk_token="[UNK]",
                cls_token="[CLS]", sep_token="[SEP]", pad_token="[PAD]")
        pipe = t.pipeline("token-classification", model=model, tokenizer=tokenizer)
        entry.update(name=name, base=base, labels=NAMES, tags={s: [
            [[e.get("entity_group", e.get("entity")), round(float(e["score"]), 4), e["start"], e["end"]]
             for e in pipe(x, aggregation_strategy=s)] for x in TEXTS] for s in strategies}, spaced=[
            [[e["entity"], round(float(e["score"]), 4), e["start"], e["end"]]
             for e in pipe(x, aggregation_strategy="none")] for x in SPACED])
        yield entry


def main():
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as root:
        data = dict(words=LABELS, texts=TEXTS, spaced=SPACED, pairs=PAIRS, heads=[*text_entries(root), *tag_entries(root)])
    (FIXTURES / "heads.json").write_text(json.dumps(data, ensure_ascii=False, separators=(",", ":")) + "\n")


main()

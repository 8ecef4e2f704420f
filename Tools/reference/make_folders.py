#!/usr/bin/env python3
"""Writes Tests/Fixtures/folders.json: settings of model folders as tools write them, and what
sentence-transformers and transformers make of them. Needs: pip install sentence-transformers.

Each entry changes a copy of a fixture: `files` are written (null removes one), `keys` are set in JSON
files (null removes one), `move` puts the transformer's files into a folder. `ids` and `vectors` are those
of each text, `length` is where texts are cut."""
import json
import os
import pathlib
import shutil
import tempfile

os.environ["TRANSFORMERS_VERBOSITY"] = "error"
import torch  # noqa: E402
from sentence_transformers import SentenceTransformer  # noqa: E402
from transformers import AutoTokenizer  # noqa: E402

FIXTURES = pathlib.Path(__file__).parents[2] / "Tests/Fixtures"
TEXTS = ["The capital of France is", "hello World", "naïve Café — 日本語!", "It was great. " * 9]
TOKENIZER_TEXTS = TEXTS[:3] + ["Ab the THE the. then [MASK]x", " great  is", "漢字 Ünïcode"]
MODES = ["mean", "cls", "max", "mean_sqrt_len_tokens", "weightedmean", "lasttoken"]
BERT, CASED = "bert-mean", "bert-max-bf16"
QWEN, LLAMA, GPT2, ROBERTA = ("language-models/" + x for x in ("qwen2", "llama", "gpt2", "roberta"))


def modules(*kinds, transformer="", style="sentence_transformers.models."):
    paths = {"Transformer": transformer, "Pooling": "1_Pooling"}
    return [dict(idx=i, name=str(i), path=paths.get(k, f"{i}_{k}"), type=style + k)
            for i, k in enumerate(kinds)]


def sentence(pooling, *more, settings=None, **files):
    named = {"modules.json": modules("Transformer", "Pooling", *more), "1_Pooling/config.json": pooling}
    if settings is not None:
        named["sentence_bert_config.json"] = settings
    return {**named, **{k.replace("__", "."): v for k, v in files.items()}}


def legacy(mode):
    names = ["cls_token", "mean_tokens", "max_tokens", "mean_sqrt_len_tokens", "weightedmean_tokens", "lasttoken"]
    return dict(word_embedding_dimension=48, **{
        "pooling_mode_" + n: n.removesuffix("_token").removesuffix("_tokens") == mode
        or n == mode for n in names})


def token(text, **flags):
    return dict(dict(content=text, lstrip=False, rstrip=False, normalized=False, single_word=False,
                     special=False), **flags)


def entries():
    # Pooling of decoders and encoders, by new and old keys.
    for i, mode in enumerate(MODES):
        base = [QWEN, LLAMA, GPT2][i % 3]
        yield f"decoder-{mode}", base, dict(files=sentence(
            dict(embedding_dimension=48, pooling_mode=mode, include_prompt=True), *["Normalize"][:i % 2]))
        yield f"decoder-legacy-{mode}", QWEN, dict(files=sentence(legacy(mode), "Normalize"))
        yield f"encoder-{mode}", BERT, dict(files=sentence(dict(embedding_dimension=48, pooling_mode=mode)))
    yield "no-mode", BERT, dict(files=sentence(legacy("none")))
    yield "mode-list", BERT, dict(files=sentence(dict(embedding_dimension=48, pooling_mode=["max"])))
    yield "dropout", BERT, dict(files=sentence(legacy("mean"), "Dropout", **{
        "2_Dropout/config__json": dict(dropout=0.5)}))
    # Lengths.
    new = dict(transformer_task="feature-extraction", module_output_name="token_embeddings", modality_config=dict(
        text=dict(method="forward", method_output_name="last_hidden_state")))
    mean = dict(embedding_dimension=48, pooling_mode="mean")
    cut = dict(direction="Right", max_length=24, strategy="LongestFirst", stride=0)
    for name, settings, longest in [
            ("settings", dict(max_seq_length=16, do_lower_case=False), 30), ("tokenizer", new, 16),
            ("null", dict(max_seq_length=None), 16), ("none", new, None), ("arguments", dict(
                tokenizer_args=dict(model_max_length=12)), 30)]:
        yield f"length-{name}", BERT, dict(
            files=sentence(mean, settings=settings, tokenizer_config__json=dict(
                tokenizer_class="BertTokenizer", model_max_length=longest or int(1e30))),
            keys={"tokenizer.json": dict(truncation=cut)})
    yield "length-decoder", QWEN, dict(files=sentence(
        mean, "Normalize", settings=dict(max_seq_length=8, do_lower_case=False)))
    yield "length-other-name", BERT, dict(
        files={**sentence(mean), "sentence_bert_config.json": None,
               "sentence_roberta_config.json": dict(max_seq_length=10)})
    # Lower-casing beside the tokenizer.
    for base in [CASED, QWEN, LLAMA, ROBERTA]:
        tokenizer = dict(tokenizer_config__json=dict(do_lower_case=False, tokenizer_class="BertTokenizer")) \
            if base == CASED else {}
        yield f"lower-case-{base.split('/')[-1]}", base, dict(files=sentence(
            mean, settings=dict(do_lower_case=True), **tokenizer))
    # Prompts.
    prompts = dict(query="query: ", passage="passage: ", empty="")
    for base in [BERT, QWEN]:
        for name in ["query", "empty", "document", None]:
            yield f"prompt-{name}-{base.split('/')[-1]}", base, dict(files=sentence(
                mean, config_sentence_transformers__json=dict(prompts=prompts, default_prompt_name=name)))
    yield "prompt-excluded-lasttoken", QWEN, dict(files=sentence(
        dict(mean, pooling_mode="lasttoken", include_prompt=False),
        config_sentence_transformers__json=dict(prompts=prompts, default_prompt_name="query")))
    # Folders of before sentence-transformers 2.0.
    yield "old-layout", BERT, dict(move="0_Transformer", files={
        **sentence(legacy("max"), "Normalize"), "config.json": {"__version__": "0.2.0"},
        "modules.json": modules("Transformer", "Pooling", "Normalize", transformer="0_Transformer")})
    # The tokenizer's settings.
    for name, base, config in [
            ("cased", BERT, dict(tokenizer_class="BertTokenizer", do_lower_case=False)),
            ("default-case", CASED, dict(tokenizer_class="BertTokenizer")),
            ("fast-class", CASED, dict(tokenizer_class="BertTokenizerFast", do_lower_case=True)),
            ("other-class", CASED, dict(tokenizer_class="PreTrainedTokenizerFast", do_lower_case=True)),
            ("distilbert-class", BERT, dict(tokenizer_class="DistilBertTokenizer", do_lower_case=False)),
            ("accents", BERT, dict(tokenizer_class="BertTokenizer", strip_accents=False)),
            ("strip", CASED, dict(tokenizer_class="BertTokenizer", do_lower_case=False, strip_accents=True)),
            ("ideographs", BERT, dict(tokenizer_class="BertTokenizer", tokenize_chinese_chars=False)),
            ("frame", BERT, dict(tokenizer_class="BertTokenizer", cls_token="[MASK]", sep_token="[PAD]")),
            ("unknown", BERT, dict(tokenizer_class="BertTokenizer", unk_token="[MASK]")),
            ("special", BERT, dict(tokenizer_class="BertTokenizer", additional_special_tokens=["t"])),
            ("own-special", BERT, dict(tokenizer_class="BertTokenizer", my_token="t")),
            ("space", ROBERTA, dict(tokenizer_class="RobertaTokenizer", add_prefix_space=True)),
            ("no-space", ROBERTA, dict(tokenizer_class="RobertaTokenizer")),
            ("gpt2-space", GPT2, dict(tokenizer_class="GPT2Tokenizer", add_prefix_space=True)),
            ("bos", LLAMA, dict(tokenizer_class="PreTrainedTokenizerFast", add_bos_token=False,
                                add_eos_token=True))]:
        yield f"tokenizer-{name}", base, dict(files={"tokenizer_config.json": config})
    # Added tokens. They take the id of the vocabulary's last token, which is removed.
    vocabulary = json.loads((FIXTURES / BERT / "tokenizer.json").read_text())["model"]["vocab"]
    special = json.loads((FIXTURES / BERT / "tokenizer.json").read_text())["added_tokens"]
    listed = {str(x["id"]): {k: v for k, v in x.items() if k != "id"} for x in special}
    the = str(len(vocabulary) - 1)
    for name, one in [("raw", token("the")), ("normalized", token("the", normalized=True)),
                      ("word", token("the", single_word=True)),
                      ("normalized-word", token("the", normalized=True, single_word=True))]:
        yield f"added-{name}", BERT, dict(shrink=True, keys={"tokenizer.json": dict(
            added_tokens=special + [dict(one, id=int(the))])})
        yield f"added-decoder-{name}", BERT, dict(shrink=True, files={"tokenizer_config.json": dict(
            tokenizer_class="BertTokenizer", added_tokens_decoder={**listed, the: one})})
    yield "added-legacy", BERT, dict(shrink=True, files={
        "tokenizer_config.json": dict(tokenizer_class="BertTokenizer"),
        "added_tokens.json": {"the": int(the)}})


def main():
    out = []
    for name, base, change in entries():
        with tempfile.TemporaryDirectory() as scratch:
            folder = pathlib.Path(scratch) / "m"
            shutil.copytree(FIXTURES / base, folder)
            if "move" in change:
                (folder / change["move"]).mkdir()
                for path in ["config.json", "tokenizer.json", "model.safetensors", "sentence_bert_config.json"]:
                    (folder / path).rename(folder / change["move"] / path)
            for path, value in change.get("files", {}).items():
                path = folder / path
                if value is None:
                    path.unlink()
                    continue
                path.parent.mkdir(exist_ok=True)
                path.write_text(json.dumps(value))
            if change.get("shrink"):
                data = json.loads((folder / "tokenizer.json").read_text())
                vocab = data["model"]["vocab"]
                del vocab[max(vocab, key=vocab.get)]
                (folder / "tokenizer.json").write_text(json.dumps(data))
            for path, keys in change.get("keys", {}).items():
                data = json.loads((folder / path).read_text())
                data.update(keys)
                (folder / path).write_text(json.dumps(data))
            entry = dict(name=name, base=base, **change)
            if name.startswith(("tokenizer-", "added-")):
                tok = AutoTokenizer.from_pretrained(folder)
                entry.update(texts=TOKENIZER_TEXTS, ids=[
                    tok(x)["input_ids"] for x in TOKENIZER_TEXTS])
            else:
                model = SentenceTransformer(
                    str(folder), device="cpu", model_kwargs=dict(dtype=torch.float32))
                if model.tokenizer.pad_token is None:
                    # One text at a time needs no padding, but the library asks for the token.
                    model.tokenizer.pad_token = model.tokenizer.convert_ids_to_tokens(0)
                entry.update(texts=TEXTS, length=model.max_seq_length, vectors=[
                    [round(float(v), 5) for v in model.encode([x])[0]] for x in TEXTS])
            print(name, entry.get("length"), flush=True)
            out.append(entry)
    lines = ",\n".join(json.dumps(x, separators=(",", ":")) for x in out)
    (FIXTURES / "folders.json").write_text(f"[{lines}]\n")


main()

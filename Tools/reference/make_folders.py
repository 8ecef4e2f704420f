#!/usr/bin/env python3
"""Writes Tests/Fixtures/folders.json: settings of model folders as tools write them, and what
sentence-transformers and transformers make of them. Needs: pip install sentence-transformers.

Each entry changes a copy of a fixture: `files` are written (null removes one), `keys` are set in JSON
files, `drop` removes keys, `tensors` adds tensors of a shape whose numbers are all 0.5, `move` puts the
transformer's files into a folder. `ids` and `vectors` are those of each text, `length` is where texts are
cut."""
import json
import os
import pathlib
import shutil
import tempfile

os.environ["TRANSFORMERS_VERBOSITY"] = "error"
import torch  # noqa: E402
from safetensors import safe_open  # noqa: E402
from safetensors.torch import load_file, save_file  # noqa: E402
from sentence_transformers import SentenceTransformer  # noqa: E402
from transformers import AutoTokenizer  # noqa: E402

FIXTURES = pathlib.Path(__file__).parents[2] / "Tests/Fixtures"
TEXTS = ["The capital of France is", "hello World", "naïve Café — 日本語!", "It was great. " * 9]
TOKENIZER_TEXTS = TEXTS[:3] + ["Ab the THE the. then [MASK]x", " great  is", "漢字 Ünïcode"]
MODES = ["mean", "cls", "max", "mean_sqrt_len_tokens", "weightedmean", "lasttoken"]
BERT, CASED = "bert-mean", "bert-max-bf16"
QWEN, LLAMA, GPT2, ROBERTA, MISTRAL, QWEN3, NEOX, ELECTRA = ("language-models/" + x for x in (
    "qwen2", "llama", "gpt2", "roberta", "mistral", "qwen3", "gpt-neox", "electra"))


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


    yield from undeclared(mean)
    yield from classes()


def undeclared(mean):
    """What the configuration does not declare, or what its class of transformers does not read."""
    files = sentence(mean)

    def shapes(base):
        with safe_open(FIXTURES / base / "model.safetensors", "np") as file:
            return {name: file.get_slice(name).get_shape() for name in file.keys()}

    def biases(base, *parts):
        return {name.removesuffix("weight") + "bias": shape[:1] for name, shape in shapes(base).items()
                if any(name.endswith(f"{part}.weight") for part in parts)}

    attention, network = ["q_proj", "k_proj", "v_proj", "o_proj"], ["gate_proj", "up_proj", "down_proj"]
    for name, base, tensors, keys in [
            ("attention-llama", LLAMA, biases(LLAMA, *attention), {}),
            ("attention-mistral", MISTRAL, biases(MISTRAL, *attention), dict(attention_bias=True)),
            ("attention-false-qwen2", QWEN, {}, dict(attention_bias=False)),
            ("output-qwen2", QWEN, biases(QWEN, "o_proj"), {}),
            ("attention-qwen3", QWEN3, biases(QWEN3, *attention), {}),
            ("declared-qwen3", QWEN3, biases(QWEN3, *attention), dict(attention_bias=True)),
            ("network-llama", LLAMA, biases(LLAMA, *network), {}),
            ("declared-network-llama", LLAMA, biases(LLAMA, *network), dict(mlp_bias=True)),
            ("network-qwen2", QWEN, biases(QWEN, *network), dict(mlp_bias=True)),
            ("attention-neox", NEOX, {}, dict(attention_bias=False)),
            ("projection-electra", ELECTRA, {}, {})]:
        if name == "projection-electra":
            size = json.loads((FIXTURES / ELECTRA / "config.json").read_text())
            if size["embedding_size"] == size["hidden_size"]:
                tensors = {"electra.embeddings_project.weight": [size["hidden_size"]] * 2}
        yield f"undeclared-{name}", base, dict(files=files, tensors=tensors, keys={"config.json": keys})
    head = json.loads((FIXTURES / LLAMA / "config.json").read_text())
    size = head.get("head_dim") or head["hidden_size"] // head["num_attention_heads"]
    yield "undeclared-norms-llama", LLAMA, dict(files=files, tensors={
        f"model.layers.{i}.self_attn.{x}_norm.weight": [size]
        for i in range(head["num_hidden_layers"]) for x in "qk"})
    for base in [LLAMA, MISTRAL, QWEN, QWEN3]:
        yield f"partial-{base.split('/')[-1]}", base, dict(files=files, keys={
            "config.json": dict(partial_rotary_factor=0.5)})
    yield "window-llama", LLAMA, dict(files=files, keys={
        "config.json": dict(sliding_window=3, use_sliding_window=True)})
    yield "window-mistral", MISTRAL, dict(files=files, keys={
        "config.json": dict(sliding_window=3, use_sliding_window=False)})
    yield "default-epsilon", LLAMA, dict(files=files, drop={"config.json": ["rms_norm_eps"]})
    yield "default-token-types", BERT, dict(files=files, drop={"config.json": ["type_vocab_size"]})


def unigram(normalizer=None):
    """A tokenizer of pieces, of which Metaspace alone makes words."""
    named = ["<s>", "<pad>", "</s>", "<unk>"]
    pieces = [[x, 0.0] for x in named] + [["\u2581", -2.0]] + [[chr(97 + i), -5 - i / 100] for i in range(26)] + [
        ["\u2581a", -3.0], ["th", -3.5], ["\u2581the", -4.0], ["he", -3.6], ["ab", -4.0], ["<mask>", 0.0]]
    texts = [x for x, _ in pieces]
    space = dict(type="Metaspace", replacement="\u2581", prepend_scheme="always", split=True)

    def special(x):
        return {"SpecialToken": dict(id=x, type_id=0)}
    return dict(
        version="1.0", truncation=None, padding=None, normalizer=normalizer,
        added_tokens=[token(x, special=True, id=texts.index(x)) for x in named + ["<mask>"]],
        pre_tokenizer=space, decoder=space,
        post_processor=dict(
            type="TemplateProcessing", pair=[], single=[
                special("<s>"), {"Sequence": dict(id="A", type_id=0)}, special("</s>")],
            special_tokens={x: dict(id=x, ids=[texts.index(x)], tokens=[x]) for x in ["<s>", "</s>"]}),
        model=dict(type="Unigram", unk_id=0, vocab=pieces, byte_fallback=False))


def classes():
    """Classes of tokenizers that build their parts anew."""
    words = ["a the", "the <s> the", "  the", "ab\tthe", "", "THE caf\u00e9 cafe\u0301 12345"]
    for name, base, config, keys in [
            ("llama", LLAMA, dict(tokenizer_class="LlamaTokenizer"), {}),
            ("llama-no-space", LLAMA, dict(tokenizer_class="LlamaTokenizerFast", add_prefix_space=False), {}),
            ("llama-legacy", LLAMA, dict(tokenizer_class="LlamaTokenizer", legacy=True), {}),
            ("llama-unnamed", LLAMA, dict(model_max_length=20), {}),
            ("code-llama", LLAMA, dict(tokenizer_class="CodeLlamaTokenizer"), {}),
            ("llama-plain", LLAMA, dict(tokenizer_class="PreTrainedTokenizerFast"), {}),
            ("mistral", MISTRAL, dict(tokenizer_class="LlamaTokenizer", add_prefix_space=False), {}),
            ("llama-bytes", GPT2, dict(tokenizer_class="LlamaTokenizer"), {}),
            ("bart", ROBERTA, dict(tokenizer_class="BartTokenizer", add_prefix_space=True), {}),
            ("gpt2-normalizer", GPT2, dict(tokenizer_class="GPT2Tokenizer"), dict(normalizer=dict(type="Lowercase"))),
            ("gpt2-plain", GPT2, dict(tokenizer_class="PreTrainedTokenizerFast"),
             dict(normalizer=dict(type="Lowercase"))),
            ("roberta-normalizer", ROBERTA, dict(tokenizer_class="RobertaTokenizer", sep_token="<pad>"),
             dict(normalizer=dict(type="Lowercase"))),
            ("neox", NEOX, dict(tokenizer_class="GPTNeoXTokenizer"), dict(normalizer=None, post_processor=dict(
                type="TemplateProcessing", pair=[], single=[
                    {"SpecialToken": dict(id="<|endoftext|>", type_id=0)}, {"Sequence": dict(id="A", type_id=0)}],
                special_tokens={"<|endoftext|>": dict(id="<|endoftext|>", ids=[0], tokens=["<|endoftext|>"])}))),
            ("qwen2", QWEN, dict(tokenizer_class="PreTrainedTokenizerFast"), dict(normalizer=None)),
            ("qwen2-space", QWEN, dict(tokenizer_class="Qwen2Tokenizer", add_prefix_space=True), {}),
            ("qwen3", QWEN3, dict(tokenizer_class="Qwen2Tokenizer"), dict(normalizer=dict(type="Lowercase"))),
            ("bert", BERT, dict(tokenizer_class="BertTokenizer"), dict(
                normalizer=dict(type="Lowercase"), pre_tokenizer=dict(type="Whitespace")))]:
        yield f"tokenizer-class-{name}", base, dict(
            texts=words, files={"tokenizer_config.json": config}, keys={"tokenizer.json": keys})
    for name in ["llama", "gpt2"]:
        data = json.loads((FIXTURES / f"language-models/{name}/tokenizer.json").read_text())
        yield f"tokenizer-class-dropout-{name}", f"language-models/{name}", dict(texts=words, files={
            "tokenizer_config.json": dict(tokenizer_class=dict(llama="LlamaTokenizer", gpt2="GPT2Tokenizer")[name]),
            "tokenizer.json": dict(data, model=dict(data["model"], dropout=0.5))})
    special = dict(bos_token="<s>", eos_token="</s>", unk_token="<unk>", pad_token="<pad>", cls_token="<s>",
                   sep_token="</s>", mask_token="<mask>")
    for name, kind, more, normalizer in [
            ("xlm-roberta", "xlm-roberta", dict(tokenizer_class="XLMRobertaTokenizer"), None),
            ("xlm-roberta-no-space", "xlm-roberta", dict(
                tokenizer_class="XLMRobertaTokenizer", add_prefix_space=False), None),
            ("xlm-roberta-normalizer", "xlm-roberta", dict(
                tokenizer_class="XLMRobertaTokenizer"), dict(type="Lowercase")),
            ("xlm-roberta-plain", "xlm-roberta", dict(
                tokenizer_class="PreTrainedTokenizerFast"), dict(type="Lowercase")),
            ("camembert", "camembert", dict(tokenizer_class="CamembertTokenizer"), None)]:
        yield f"tokenizer-class-{name}", ROBERTA, dict(
            texts=words[:4] + ["THE the <mask> the"], keys={"config.json": dict(model_type=kind)},
            files={"tokenizer_config.json": dict(special, **more), "tokenizer.json": unigram(normalizer)})


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
            for path, keys in change.get("drop", {}).items():
                data = json.loads((folder / path).read_text())
                (folder / path).write_text(json.dumps({k: v for k, v in data.items() if k not in keys}))
            if change.get("tensors"):
                weights = load_file(folder / "model.safetensors")
                weights.update({k: torch.full(v, 0.5) for k, v in change["tensors"].items()})
                save_file(weights, folder / "model.safetensors", metadata=dict(format="pt"))
            entry = dict(name=name, base=base, **change)
            if name.startswith(("tokenizer-", "added-")):
                tok = AutoTokenizer.from_pretrained(folder)
                texts = change.get("texts", TOKENIZER_TEXTS)
                entry.update(texts=texts, ids=[tok(x)["input_ids"] for x in texts])
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

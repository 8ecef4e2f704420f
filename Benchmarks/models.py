"""Fidelity, speed and memory of each family that `vdsq convert` reads, in the shape of a published model.

    models.py [NAME...] [--sentences 20] [--seconds 1] [--keep]

Weights are random, because few real ones are to be had offline; the speed and the memory are those of trained ones.
Of models with more than 600 million weights, a part of the layers is made. Vectors of texts, or of
decoders the states behind the last token, are compared with those of transformers in fp32 for the same weights.
Folders and files are removed again unless --keep is given. The table is that of docs/models.md.
"""
import argparse
import json
import pathlib
import shutil
import statistics
import subprocess

import numpy as np

from programs import CACHE, CHECKPOINT, VDSQ, lines
from sentences import sentences

BASE = dict(hidden_size=768, num_hidden_layers=12, num_attention_heads=12, intermediate_size=3072)
MOST_WEIGHTS = 6e8


def encoders():
    """For each published model its family and a configuration."""
    import transformers as t
    return {
        "distilbert-base": ("DistilBERT", t.DistilBertConfig()),
        "roberta-base": ("RoBERTa, XLM-R", t.RobertaConfig(max_position_embeddings=514)),
        "electra-small": ("ELECTRA", t.ElectraConfig(
            embedding_size=128, hidden_size=256, num_attention_heads=4, intermediate_size=1024)),
        "all-mpnet-base-v2": ("MPNet", t.MPNetConfig(**BASE, max_position_embeddings=514)),
        "albert-base-v2": ("ALBERT", t.AlbertConfig(**BASE)),
        "deberta-v3-small": ("DeBERTa 2 and 3", t.DebertaV2Config(
            **{**BASE, "num_hidden_layers": 6}, relative_attention=True, position_buckets=256,
            pos_att_type=["p2c", "c2p"], norm_rel_ebd="layer_norm", share_att_key=True, type_vocab_size=0,
            position_biased_input=False)),
        "nomic-embed-text-v1.5": ("Nomic BERT", t.NomicBertConfig(**BASE, max_position_embeddings=8192)),
        "gte-multilingual-base": ("GTE, Arctic Embed 2", t.GteConfig(**BASE, max_position_embeddings=8192)),
        "ModernBERT-base": ("ModernBERT", t.ModernBertConfig(
            hidden_size=768, num_hidden_layers=22, num_attention_heads=12, intermediate_size=1152, pad_token_id=0,
            cls_token_id=101, bos_token_id=101, sep_token_id=102, eos_token_id=102)),
        "embeddinggemma-300m": ("Gemma 3, EmbeddingGemma", t.Gemma3TextConfig(
            hidden_size=768, num_hidden_layers=24, num_attention_heads=3, num_key_value_heads=1, head_dim=256,
            intermediate_size=1152, sliding_window=512, use_bidirectional_attention=True)),
    }


def decoders():
    """The same for causal language models."""
    import transformers as t
    return {
        "gpt2": ("GPT-2", t.GPT2Config()),
        "SmolLM2-135M": ("Llama", t.LlamaConfig(
            hidden_size=576, num_hidden_layers=30, num_attention_heads=9, num_key_value_heads=3,
            intermediate_size=1536, tie_word_embeddings=True)),
        "Mistral-7B": ("Mistral", t.MistralConfig()),
        "Qwen2-0.5B": ("Qwen 2", t.Qwen2Config(
            hidden_size=896, num_hidden_layers=24, num_attention_heads=14, num_key_value_heads=2,
            intermediate_size=4864, tie_word_embeddings=True)),
        "Qwen3-0.6B": ("Qwen 3", t.Qwen3Config(
            hidden_size=1024, num_hidden_layers=28, num_attention_heads=16, num_key_value_heads=8, head_dim=128,
            intermediate_size=3072, tie_word_embeddings=True)),
        "phi-1_5": ("Phi 1, 1.5 and 2", t.PhiConfig()),
        "Phi-3-mini": ("Phi 3, Phi 4 mini", t.Phi3Config(pad_token_id=0)),
        "gemma-2b": ("Gemma 1", t.GemmaConfig(
            hidden_size=2048, num_hidden_layers=18, num_attention_heads=8, num_key_value_heads=1,
            intermediate_size=16384)),
        "gemma-2-2b": ("Gemma 2", t.Gemma2Config(attn_implementation="eager")),
        "gemma-3-270m": ("Gemma 3", t.Gemma3TextConfig(
            hidden_size=640, num_hidden_layers=18, num_attention_heads=4, num_key_value_heads=1, head_dim=256,
            intermediate_size=2048, sliding_window=512)),
        "OLMo-2-1B": ("OLMo 2", t.Olmo2Config(
            hidden_size=2048, num_hidden_layers=16, num_attention_heads=16, intermediate_size=8192,
            pad_token_id=None)),
        "stablelm-2-1_6b": ("StableLM 2", t.StableLmConfig(
            hidden_size=2048, num_hidden_layers=24, num_attention_heads=32, num_key_value_heads=32,
            intermediate_size=5632, use_qkv_bias=True)),
        "SmolLM3-3B": ("SmolLM 3", t.SmolLM3Config(pad_token_id=None)),
        "granite-3-2b": ("Granite 3", t.GraniteConfig(
            hidden_size=2048, num_hidden_layers=40, num_attention_heads=32, num_key_value_heads=8,
            intermediate_size=8192, embedding_multiplier=12.0, attention_multiplier=0.015625,
            residual_multiplier=0.22, logits_scaling=8.0)),
        "pythia-160m": ("GPT-NeoX, Pythia", t.GPTNeoXConfig(**BASE)),
        "falcon-7b": ("Falcon", t.FalconConfig()),
        "mpt-7b": ("MPT", t.MptConfig(d_model=4096, n_heads=32, n_layers=32)),
    }


def tokenizer():
    """A byte-level tokenizer of 30,000 tokens for decoders, trained on local texts."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    path = CACHE / "shape-tokenizer.json"
    if not path.exists():
        found = Tokenizer(models.BPE())
        found.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
        found.decoder = decoders.ByteLevel()
        corpus = [word for file in sorted(pathlib.Path(__file__).parent.glob("*.py"))
                  for word in file.read_text().split("\n")] + sentences()
        found.train_from_iterator(corpus, trainers.BpeTrainer(
            vocab_size=30_000, show_progress=False, initial_alphabet=pre_tokenizers.ByteLevel.alphabet()))
        found.save(str(path))
    return path


def checkpoint(name, config, is_decoder):
    """A folder of the configuration with random weights, the model, and the layers that it has of all."""
    import torch
    import transformers as t
    t.utils.logging.set_verbosity_error()
    t.utils.logging.disable_progress_bar()
    config.vocab_size = max(config.vocab_size, 30_522)
    key = next(k for k in ("num_hidden_layers", "n_layers", "n_layer") if hasattr(config, k))
    layers = kept = getattr(config, key)
    kind = t.AutoModelForCausalLM if is_decoder else t.AutoModel
    with torch.device("meta"):
        weights = sum(p.numel() for p in kind.from_config(config).parameters())
    if weights > MOST_WEIGHTS:
        kept = max(2, int(layers * MOST_WEIGHTS / weights))
        for each_layer in ("layer_types", "no_rope_layers"):
            if getattr(config, each_layer, None):
                setattr(config, each_layer, getattr(config, each_layer)[:kept])
        setattr(config, key, kept)
    torch.manual_seed(0)
    model = kind.from_config(config, dtype=torch.bfloat16).eval()
    folder = CACHE / f"shape-{name}"
    shutil.rmtree(folder, ignore_errors=True)
    model.save_pretrained(folder)
    (folder / "generation_config.json").unlink(missing_ok=True)
    if is_decoder:
        shutil.copy(tokenizer(), folder / "tokenizer.json")
    else:
        t.AutoTokenizer.from_pretrained(CHECKPOINT).save_pretrained(folder)
    return folder, model.float(), (kept, layers), weights


def reference(model, is_decoder, folder, texts):
    import torch
    from tokenizers import Tokenizer
    encode = Tokenizer.from_file(str(folder / "tokenizer.json"))
    encode.no_padding()
    rows = []
    with torch.inference_mode():
        for text in texts:
            ids = torch.tensor([encode.encode(text).ids])
            states = (model.base_model if is_decoder else model)(ids).last_hidden_state[0]
            rows.append((states[-1] if is_decoder else states.mean(0)).numpy())
    return rows


def run(*command, data=None):
    return subprocess.run([VDSQ, *map(str, command)], input=data, stdout=subprocess.PIPE, check=True).stdout


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("names", nargs="*")
    parser.add_argument("--sentences", type=int, default=20)
    parser.add_argument("--seconds", type=float, default=1)
    parser.add_argument("--keep", action="store_true")
    arguments = parser.parse_args()
    texts = [x for x in sentences() if 10 < len(x) < 90 and x.isascii()][:arguments.sentences]
    print("| family | shape of | layers | weights, M | cosine of int8, mean / least | ms for 32 / 128 tokens | "
          "file, MB | planned memory, MB: resident / least |\n" + "|---" * 8 + "|")
    shapes = [(name, *shape, False) for name, shape in encoders().items()]
    shapes += [(name, *shape, True) for name, shape in decoders().items()]
    for name, family, config, is_decoder in shapes:
        if arguments.names and name not in arguments.names:
            continue
        folder, model, (kept, layers), weights = checkpoint(name, config, is_decoder)
        expected = reference(model, is_decoder, folder, texts)
        del model
        file = pathlib.Path(f"{folder}.vdsq")
        run("convert", folder, "-o", file, "-q", "--force", *(["--no-bases"] if is_decoder else []))
        vectors = [json.loads(line)["embedding"] for line in run(
            "embed", file, "--field", "text", "-q", data=lines(texts)).splitlines()]
        cosines = [float(np.dot(a, b) / np.linalg.norm(a) / np.linalg.norm(b)) for a, b in zip(vectors, expected)]
        times = [json.loads(run("bench", file, "--tokens", n, "--threads", 1, "--seconds", arguments.seconds,
                                "--json"))[0]["ms"] for n in (32, 128)]
        plan = json.loads(run("plan", file, "--max-tokens", 128, "--threads", 1, "--json"))
        peaks = {p["policy"]: p["peak_bytes"] / 1e6 for p in plan["policies"]}
        print(f"| {family} | {name} | {kept if kept == layers else f'{kept} of {layers}'} | {weights / 1e6:.0f} | "
              f"{statistics.mean(cosines):.4f} / {min(cosines):.4f} | {times[0]:.1f} / {times[1]:.1f} | "
              f"{file.stat().st_size / 1e6:.0f} | {peaks['resident']:.0f} / {min(peaks.values()):.0f} |", flush=True)
        if not arguments.keep:
            shutil.rmtree(folder)
            file.unlink()


if __name__ == "__main__":
    main()

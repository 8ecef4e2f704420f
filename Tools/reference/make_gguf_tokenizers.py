#!/usr/bin/env python3
"""Writes Tests/Fixtures/gguf-tokenizers.json: small vocabularies as GGUF files have them, and the ids that
Hugging Face's tokenizers give with the expressions of the models' tokenizer.json, for every value of
tokenizer.ggml.pre in llama.cpp (src/llama-vocab.cpp) and for tokenizers of characters and of unigrams.

Merges cross all boundaries of words, so that ids tell where a text is split. Needs: pip install tokenizers."""
import base64
import json
import pathlib

from tokenizers import Regex, Tokenizer, models, normalizers, pre_tokenizers, trainers

FIXTURES = pathlib.Path(__file__).parents[2] / "Tests/Fixtures"
TEXTS = [
    "Hello World'S don't WE'LL camelCaseHTTPServer über-Straße  ΑΒΓ αβγ ǅ ﬁ",
    "1234567 12 3,456.78 x1y22z333 ²³½ Ⅷ ٣٤٥ １２３４ 123² 9876543210",
    "a  b   c    d\t\te\n\n\nf \n g\r\n\r\n  h   \n",
    "!!! ?? ... $$ ++==<<>>^^~~|| `code` (x) [y] {z} a/b//c\\d #!/usr/bin, ; : . \n/ -- //\n",
    "中文字符 日本語のテキスト カタカナ 한국어 텍스트 ไทยภาษา ລາວ ខ្មែរ မြန်မာ ㄅㄆㄇ ㄱㄴ ，。！？“引”…—、；：",
    "हिन्दी में ע֜ברית العَرَبِيَّة e\u0301a\u0308o a\u0301A\u0308 é Å ñ",
    "<sentinel:12> IMGIMGABCZ IMGIMGABCDEZ 😀👩‍👩‍👧🇩🇪 ▁▁x ▁ \u00a0\u2003\u3000 \u0085 \u200b",
    "'s 't 're 'VE 'm 'll 'D 'x 'sx '' 'ſ İ ı ᾀ ℂ ℨ K Ω Ꭰ ᏸ Ა ⰰ ꙁ ꭰ 𐐀 𞤀 𝔘",
    " leading", "trailing ", "   ", "\n", "x" * 12 + " " * 40 + "y", "",
]
CONTRACTIONS = "(?i:'s|'t|'re|'ve|'m|'ll|'d)"
WORDS = r"[^\r\n\p{L}\p{N}]?\p{L}+"
TAIL = r"\s*[\r\n]+|\s+(?!\S)|\s+"
GPT2 = r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"
LLAMA3 = rf"{CONTRACTIONS}|{WORDS}|\p{{N}}{{1,3}}| ?[^\s\p{{L}}\p{{N}}]+[\r\n]*|{TAIL}"
QWEN2 = LLAMA3.replace("{1,3}", "")
UPPER, LOWER = r"[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]", r"[\p{Ll}\p{Lm}\p{Lo}\p{M}]"


def cased(upper, lower, suffix):
    first = r"[^\r\n\p{L}\p{N}]?"
    return f"{first}{upper}*{lower}+{suffix}|{first}{upper}+{lower}*{suffix}"


O200K = cased(UPPER, LOWER, CONTRACTIONS + "?") + rf"|\p{{N}}{{1,3}}| ?[^\s\p{{L}}\p{{N}}]+[\r\n/]*|{TAIL}"
DEEPSEEK3 = (r"[!\"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~][A-Za-z]+|[^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+"
             r"| ?[\p{P}\p{S}]+[\r\n]*|" + TAIL)
IDEOGRAPHS = "[\u4e00-\u9fa5\u0800-\u4e00\uac00-\ud7ff]+"
KANA = "[\u4e00-\u9fa5\u3040-\u309f\u30a0-\u30ff]+"
BLOOM = " ?[^(\\s|[.,!?…。，、।۔،])]+"
DIGITS = pre_tokenizers.Digits(individual_digits=True)
NO_HAN = r"&&[^\p{Han}]]"
LINES = r"[^\n]+|[\n]+"
# Values with the steps in front of the byte level: expressions, or parts of Hugging Face's.
PRE = {
    "gpt-2": [GPT2], "llama-bpe": [LLAMA3], "qwen2": [QWEN2], "starcoder": [DIGITS, GPT2],
    "qwen35": [QWEN2.replace(r"?\p{L}+", r"?[\p{L}\p{M}]+").replace(r"[^\s\p{L}\p{N}]", r"[^\s\p{L}\p{M}\p{N}]")],
    "jais-2": [LLAMA3.removesuffix(r"|\s+(?!\S)|\s+") + "".join(
        rf"|\s{{{n}}}(?!\S)" for n in (512, 256, 128, 64, 32, 16, 8, 4, "1,2")) + r"|\s{1}"],
    "laguna": [LINES, QWEN2],
    "ufakzeka": [QWEN2.removeprefix(CONTRACTIONS + "|")],
    "seed-coder": [rf"{CONTRACTIONS}|{WORDS}|\p{{N}}{{1}}| ?[^\s\p{{L}}\p{{N}}\r\n]+|{TAIL}"],
    "minicpm5": [r"\p{N}{1,3}", LLAMA3.replace("{1,3}", "+")],
    "exaone-moe": [CONTRACTIONS + r"|[^\r\n\p{L}\p{N}]?(?:\p{L}\p{M}*(?: \p{L}\p{M}*)*)+|\p{N}"
                   r"| ?[^\s\p{L}\p{N}]+[\r\n/]?|\s*[\r\n]|\s+(?!\S)|\s+"],
    "bailingmoe": [r"'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]++[\r\n]*"
                   r"|\s*[\r\n]|\s+(?!\S)|\s+"],
    "gpt-4o": [O200K],
    "granite-embed-multi-97m": [O200K],
    "tekken": [O200K.replace(CONTRACTIONS + "?", "").replace(r"\p{N}{1,3}", r"\p{N}")],
    "tiny_aya": [r"\d{1,3}(?=(?:\d{3})*\b)", O200K],
    "kimi-k2": [r"[\p{Han}]+|" + cased(UPPER[:-1] + NO_HAN, LOWER[:-1] + NO_HAN, CONTRACTIONS + "?")
                + rf"|\p{{N}}{{1,3}}| ?[^\s\p{{L}}\p{{N}}]+[\r\n]*|{TAIL}"],
    "youtu": ["[가-힣ㄱ-ㆎ]+|[！…“”‘’—：；，\u3001-\u303f\ufe30-\ufe4f]+|[ㄅ-ㄯ]+|" + KANA,
              O200K.replace(r"\p{N}{1,3}", r"\p{N}")],
    # The letters of DeepSeek LLM have case; their list in tokenizer.json is that of Unicode 11.
    "deepseek-llm": [r"[\r\n]", r"\s?[\p{Lu}\p{Ll}\p{Lt}&&[^\x{1D400}-\x{1D7FF}]]+", "\\s?[!-/:-~！-／：-～‘-‟\u3000-。]+", r"\s+$",
                     IDEOGRAPHS, DIGITS],
    "deepseek-coder": [r"[\r\n]", r"\s?\p{L}+", r"\s?\p{P}+", IDEOGRAPHS, DIGITS],
    "deepseek-v3": [r"\p{N}{1,3}", KANA, DEEPSEEK3],
    "spark2_5": [r"\p{N}{1,3}", KANA, DEEPSEEK3.replace(r"[\r\n]*|\s*[\r\n]+", r"|[\r\n]"), r"\p{N}"],
    "afmoe": [r"\p{N}+", r"(?=(\p{N}{3})+(?!\p{N}))",
              "[一-鿿㐀-䶿\uf900-\ufaff\u3040-ゟ゠-ヿ･-ﾟ⼀-\u2fdf\u0e40-\u0e7f\u0e80-\u0effក-\u17ffက-႟ꩠ-ꩿꧠ-\ua9ff가-\ud7afᄀ-ᇿ]+",
              DEEPSEEK3],
    "falcon": [pre_tokenizers.Punctuation("contiguous"), GPT2, "[0-9][0-9][0-9]"],
    "default": [r"[\p{P}\$\+<=>\^~\|]+", GPT2, r"\p{N}+", "[0-9][0-9][0-9]"],
    "bloom": [BLOOM], "viking": [BLOOM, DIGITS],
    "chameleon": [r"<sentinel:[0-9]+>", r"(IMGIMG)((A|B|C|D|E|F|G|H|I){1,4})Z", r"([\t\n]|    |  )", DIGITS,
                  pre_tokenizers.Punctuation("isolated"), GPT2],
    "superbpe": [r"\p{N}+", r"(?=(\d{3})+(?!\d))"],
}
IGNORES_MERGES = {"llama-bpe", "tekken", "youtu", "minicpm5", "granite-embed-multi-97m"}


def step(part):
    return pre_tokenizers.Split(Regex(part), "isolated") if isinstance(part, str) else part


def bpe(vocabulary, **options):
    data = json.loads(vocabulary.to_str())["model"]
    return Tokenizer(models.BPE(data["vocab"], [tuple(m) for m in data["merges"]], **options)), data


def encode(tok):
    return [tok.encode(text, add_special_tokens=False).ids for text in TEXTS]


out = {"texts": TEXTS}
byte_level = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
trained = Tokenizer(models.BPE())
trained.pre_tokenizer = byte_level
trained.train_from_iterator(
    TEXTS, trainers.BpeTrainer(vocab_size=900, min_frequency=1, show_progress=False,
                               initial_alphabet=pre_tokenizers.ByteLevel.alphabet()))
values = {}
for name, parts in PRE.items():
    tok, data = bpe(trained, ignore_merges=name in IGNORES_MERGES)
    if name == "qwen2":
        tok.normalizer = normalizers.NFC()
    tok.pre_tokenizer = pre_tokenizers.Sequence([*map(step, parts), byte_level])
    values[name] = encode(tok)
out["bytes"] = {"tokens": sorted(data["vocab"], key=data["vocab"].get), "merges": [" ".join(m) for m in data["merges"]],
                "ids": values}

spaces = normalizers.Replace(" ", "▁")
trained = Tokenizer(models.BPE())
trained.normalizer = spaces
trained.train_from_iterator(
    TEXTS[:5], trainers.BpeTrainer(vocab_size=500, min_frequency=1, show_progress=False,
                                   special_tokens=["<pad>", "<eos>", "<bos>", "<unk>"] + [f"<0x{i:02X}>" for i in range(256)]))
tok, data = bpe(trained, unk_token="<unk>", fuse_unk=True, byte_fallback=True)
tok.normalizer = spaces
tok.pre_tokenizer = step(LINES)
out["characters"] = {"tokens": sorted(data["vocab"], key=data["vocab"].get),
                     "merges": [" ".join(m) for m in data["merges"]], "ids": {"gemma4": encode(tok)}}

# Unigrams: the vocabulary and the replacements of another fixture.
data = json.loads((FIXTURES / "tokenizers/unigram.json").read_text())
pieces = [tuple(x) for x in data["model"]["vocab"]]
charsmap = next(x["precompiled_charsmap"] for x in data["normalizer"]["normalizers"] if x["type"] == "Precompiled")
charsmap = normalizers.Precompiled(base64.b64decode(charsmap))
tok = Tokenizer(models.Unigram(pieces, 0, False))
tok.normalizer = charsmap
tok.pre_tokenizer = pre_tokenizers.Sequence([
    pre_tokenizers.Split(" ", "removed"), pre_tokenizers.Metaspace(split=False)])
ids = {"merged spaces": encode(tok)}
tok.pre_tokenizer = pre_tokenizers.Sequence([])
tok.normalizer = normalizers.Sequence([charsmap, normalizers.Prepend("▁"), spaces])
ids["all spaces"] = encode(tok)
out["unigram"] = {"ids": ids}
path = FIXTURES / "gguf-tokenizers.json"
path.write_text(json.dumps(out, ensure_ascii=False, separators=(",", ":")))
print(path.name, path.stat().st_size)

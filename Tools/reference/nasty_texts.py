"""Texts that tokenizers get wrong, generated from a seed: every script, accents stacked and bare,
controls, special tokens inside words, words over the length limit, and plain noise."""
import random
import unicodedata

PIECES = ["[MASK]", "[CLS]", "[SEP]", "[UNK]", "[PAD]", "[mask]", "##ing", "##", "[MASK", "MASK]",
          "don't", "U.S.A.", "e-mail", "3.14", "naïve", "Ångström", "ﬁne", "ŒUVRE", "İstanbul",
          "ΌΣΟΣ", "Straße", "ẞ", "日本語", "中文", "한국어", "ไทย", "हिन्दी", "עִבְרִית", "العَرَبِيَّة", "😀", "👩‍👩‍👧",
          "🇩🇪", "\u200b", "\u200d", "\ufeff", "\u00ad", "\u0000", "\ufffd", "\x1b", "\t", "\r",
          "\u2028", "\u0085", "\u00a0", "\u3000", "a\u0301", "e\u0302\u0323", "\u0301", "q\u0307\u0323",
          "ǅ", "Ⅷ", "½", "²", "①", "％", "！", "“”", "—", "…", "$", "€", "^", "`", "~", "+", "=", "|",
          "𝔘𝔫𝔦", "𐐀", "\u1e9b\u0323", "\u0f77", "\ua9c0", "\U0001d165\U0001d16e", "\uf900", "\u2f800"]


def scalar(rng):
    kind = rng.random()
    if kind < 0.35:
        return chr(rng.randrange(0x20, 0x7F))
    if kind < 0.6:
        return chr(rng.randrange(0xA0, 0x600))
    if kind < 0.7:
        return chr(rng.randrange(0x300, 0x370))
    if kind < 0.9:
        while True:
            point = rng.randrange(0x600, 0x10000)
            if not 0xD800 <= point < 0xE000:
                return chr(point)
    return chr(rng.randrange(0x10000, 0x110000))


def text(rng, words):
    parts = []
    for _ in range(rng.randrange(1, 14)):
        kind = rng.random()
        if kind < 0.3:
            parts.append(rng.choice(words))
        elif kind < 0.55:
            parts.append(rng.choice(PIECES))
        elif kind < 0.9:
            parts.append("".join(scalar(rng) for _ in range(rng.randrange(1, 9))))
        elif kind < 0.95:
            parts.append(unicodedata.normalize("NFD", rng.choice(PIECES + words)))
        else:
            parts.append(rng.choice("aé中") * rng.randrange(95, 106))
        if rng.random() < 0.7:
            parts.append(" ")
    return "".join(parts)


def generate(count, seed=7):
    rng = random.Random(seed)
    words = ["the", "Running", "unbelievably", "tokenization", "COVID", "Zürich", "coöperate", "über",
             "façade", "antidisestablishmentarianism", "hello", "world", "2024", "transformers"]
    return [text(rng, words) for _ in range(count)]

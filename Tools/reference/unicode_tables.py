#!/usr/bin/env python3
"""Writes Sources/VDSQTokenizers/Unicode/UnicodeTables.swift.

Token ids must be those of Hugging Face's `tokenizers`, whose Unicode data is of several ages, so the
tables are read off that library by asking it about every code point. Needs: pip install tokenizers.
"""
import pathlib
import unicodedata

from tokenizers import Regex, normalizers, pre_tokenizers

WHITESPACE, REMOVED, PUNCTUATION, IDEOGRAPH, MARK = 1, 2, 4, 8, 16

clean = normalizers.BertNormalizer(True, False, False, False)
chinese = normalizers.BertNormalizer(False, True, False, False)
strip = normalizers.BertNormalizer(False, False, True, False)
nfd, nfc, nfkd = normalizers.NFD(), normalizers.NFC(), normalizers.NFKD()
lower = normalizers.Lowercase()
split = pre_tokenizers.BertPreTokenizer()

CATEGORIES = ("Lu Ll Lt Lm Lo Mn Mc Me Nd Nl No Pc Pd Ps Pe Pi Pf Po Sm Sc Sk So Zs Zl Zp Cc Cf Co "
              "Cn").split()
everything = "".join(chr(p) for p in range(0x110000) if not 0xD800 <= p < 0xE000)
category = {}
for index, name in enumerate(CATEGORIES):
    # Removing the characters of a category leaves everything else.
    remover = pre_tokenizers.Split(Regex(f"\\p{{{name}}}"), "removed")
    rest = set()
    for piece, _ in remover.pre_tokenize_str(everything):
        rest.update(piece)
    for c in everything:
        if c not in rest:
            category.setdefault(c, index)
unassigned = CATEGORIES.index("Cn")
categories = []
for c in everything:
    if not categories or categories[-1] & 0xFF != category.get(c, unassigned):
        categories.append(ord(c) << 8 | category.get(c, unassigned))

# A mark of each combining class. The class of another mark shows in the order that the library gives to
# the two.
MARKS = {1: "\u0334"}


def moves(a, b):
    return a != b and nfd.normalize_str(a + b) == b + a


for c in everything:
    if order := unicodedata.combining(c):
        # Only marks that the library knows, because its data is older than Python's.
        if order == 1 or moves(c, MARKS[1]):
            MARKS.setdefault(order, c)


def combining_class(c):
    if not moves(c, MARKS[1]) and not moves(MARKS[240], c):
        return 0
    return next((k for k, mark in sorted(MARKS.items()) if not moves(c, mark) and not moves(mark, c)), 0)


accents = normalizers.StripAccents()
kept_marks = [ord(c) for c in everything
              if CATEGORIES[category.get(c, unassigned)][0] == "M" and accents.normalize_str(c) == c]
classes, decompositions, lowercase, combining = [], {}, {}, {}
compatible, compositions, orders = {}, [], []
for point in [p for p in range(0x110000) if not 0xD800 <= p < 0xE000]:
    c = chr(point)
    flags = 0
    cleaned = clean.normalize_str(f"a{c}b")
    pieces = [p for p, _ in split.pre_tokenize_str(f"a{c}b")]
    if cleaned == "ab":
        flags |= REMOVED
    if pieces == ["a", "b"] or (cleaned == "a b" and c != " "):
        flags |= WHITESPACE
    elif len(pieces) == 3:
        flags |= PUNCTUATION
    if chinese.normalize_str(c) == f" {c} ":
        flags |= IDEOGRAPH
    decomposed = nfd.normalize_str(c)
    if strip.normalize_str(c) == "":
        flags |= MARK
    hangul = 0xAC00 <= point < 0xAC00 + 11172
    if decomposed != c and not hangul:
        decompositions[point] = [ord(x) for x in decomposed]
    if (low := lower.normalize_str(c)) != c:
        lowercase[point] = [ord(x) for x in low]
    if not hangul and (full := nfkd.normalize_str(c)) != decomposed:
        compatible[point] = [ord(x) for x in full]
    parts = unicodedata.decomposition(c).split()
    if len(parts) == 2 and "<" not in parts[0]:
        pair = [int(x, 16) for x in parts]
        if nfc.normalize_str("".join(map(chr, pair))) == c:
            compositions.append((*pair, point))
    order = combining_class(c) if decomposed == c else unicodedata.combining(c)
    if not orders or orders[-1] & 0xFF != order:
        orders.append(point << 8 | order)
    if not flags & MARK and (order := unicodedata.combining(c)):
        combining[point] = order
    if not classes or classes[-1] & 0xFF != flags:
        classes.append(point << 8 | flags)


def table(name, doc, values, kind="UInt32"):
    lines, line = [], "   "
    for value in values:
        if len(line) + len(item := f" {value},") > 100:
            lines.append(line)
            line = "   "
        line += item
    return f"  /// {doc}\n  static let {name}: [{kind}] = [\n" + "\n".join(lines + [line]) + "\n  ]\n"


def mapping(name, doc, entries):
    keys, ends, scalars = sorted(entries), [], []
    for key in keys:
        scalars += entries[key]
        ends.append(len(scalars))
    return "\n".join([
        table(f"{name}Keys", f"{doc}: the code points, ascending.", keys),
        table(f"{name}Ends", "Where each one's scalars end.", ends, "UInt16"),
        table(f"{name}Scalars", "The scalars, one after another.", scalars),
    ])


out = "\n".join([
    "// Made by Tools/reference/unicode_tables.py; do not edit.\n// swift-format-ignore-file\n",
    "/// Character data as Hugging Face's tokenizers see it.",
    "enum UnicodeTables {",
    table("classes", "Where a run of code points of one class starts, `start << 8 | flags`.", classes),
    mapping("decomposition", "Canonical decompositions (NFD), Hangul syllables aside", decompositions),
    mapping("lowercase", "Lower-case mappings", lowercase),
    table("categories", "Where a run of code points of one general category starts, `start << 8 | index`, "
          "in the order of `Category`.", categories),
    table("keptMarks", "Marks that are younger than the library's data for stripping them.", kept_marks),
    mapping("compatibility", "Compatibility decompositions (NFKD) where they are not the canonical ones",
            compatible),
    table("compositions", "Canonical compositions: first, second, both; ascending.",
          [x for triple in sorted(compositions) for x in triple]),
    table("orders", "Where a run of code points of one canonical combining class starts, "
          "`start << 8 | class`.", orders),
    table("combining", "Code points with a combining class that no accent stripping removes, "
          "`point << 8 | class`.", [p << 8 | c for p, c in sorted(combining.items())]),
    "}",
    "",
]).replace("\n\n}", "\n}")
path = pathlib.Path(__file__).parents[2] / "Sources/VDSQTokenizers/Unicode/UnicodeTables.swift"
path.write_text(out)
print(len(classes), len(decompositions), len(lowercase), len(combining), path.stat().st_size)

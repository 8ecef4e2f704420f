"""Kernels beside the limits of the machine and beside other libraries, in one run.

    kernels.py [limits|rows|linear|encoder|coarse ...]    runs the named parts, or all"""
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time

import numpy as np
import threadpoolctl

from programs import CACHE, CHECKPOINT, VDSQ, lines, model

ROUNDS = 3
VOCABULARIES = [(30_522, 384), (50_257, 768), (151_936, 896), (128_256, 2_048)]
LAYERS = [(1152, 384), (384, 384), (1536, 384), (384, 1536)]


def bench(*arguments):
    out = subprocess.run([VDSQ, "bench", "--json", *map(str, arguments)], check=True, capture_output=True)
    return json.loads(out.stdout)


def median_ms(call, seconds=0.4):
    call()
    samples = []
    end = time.perf_counter() + seconds
    while len(samples) < 5 or time.perf_counter() < end:
        start = time.perf_counter()
        call()
        samples.append(time.perf_counter() - start)
    return statistics.median(samples) * 1e3


def table(head, rows):
    print("| " + " | ".join(head) + " |\n|" + "---|" * len(head))
    for row in rows:
        print("| " + " | ".join(row) + " |")
    print(flush=True)


def compare(ours, peers, threads):
    """Median milliseconds over rounds in which all are measured in turn, vdsq first."""
    times = {name: [] for name in ["vdsq", *peers]}
    for _ in range(ROUNDS):
        times["vdsq"].append(ours())
        with threadpoolctl.threadpool_limits(threads):
            for name, call in peers.items():
                times[name].append(median_ms(call))
    return {name: statistics.median(t) for name, t in times.items()}


def significant(x):
    return f"{x:.3g}"


def limits():
    print("## Kernels and limits\n\nThe limit is the larger of what reading the operands takes (measured in "
          "turns with the kernel, from wherever they fit) and what the multiplications take in registers.\n")
    for isa in ["avx512", "avx2", "baseline"]:
        os.environ["VDSQ_ISA"] = isa
        try:
            rows = bench("--kernels", "--threads", 1, "--threads", 2)
        except subprocess.CalledProcessError:
            continue  # this CPU does not have it
        print(f"### {isa}\n")
        table(["kernel", "rows", "cols", "batch", "threads", "ms", "GB/s", "GMAC/s", "share of limit"],
              [[r["kernel"], str(r["rows"]), str(r["cols"]), str(r["batch"]), str(r["threads"]),
                significant(r["ms"]), f"{r['gb_per_s']:.1f}", f"{r['gmac_per_s']:.1f}",
                f"{r['share_of_limit']:.0%}"] for r in rows])


def row_peers(rows, columns, threads):
    """The ten best int8 rows for one query, or all cosines if the library has no top-k."""
    import faiss
    import numkong
    import torch
    from usearch.index import MetricKind, search
    rng = np.random.default_rng(1)
    floats = rng.standard_normal((rows, columns), dtype=np.float32)
    floats /= np.linalg.norm(floats, axis=1, keepdims=True)
    query = floats[7:8] + 0.1 * rng.standard_normal((1, columns), dtype=np.float32)
    quantized = np.round(floats * (127 / np.abs(floats).max(1, keepdims=True))).astype(np.int8)
    query8 = np.round(query * (127 / np.abs(query).max())).astype(np.int8)
    faiss.omp_set_num_threads(threads)
    torch.set_num_threads(threads)
    index = faiss.IndexScalarQuantizer(columns, faiss.ScalarQuantizer.QT_8bit, faiss.METRIC_INNER_PRODUCT)
    index.train(floats[:20_000])
    index.add(floats)
    tensor, vector = torch.from_numpy(floats), torch.from_numpy(query[0])

    def numpy_topk():
        cosines = floats @ query[0]
        best = np.argpartition(cosines, -10)[-10:]
        return best[np.argsort(-cosines[best])]
    peers = {
        "FAISS SQ8": lambda: index.search(query, 10),
        "USearch i8": lambda: search(quantized, query8, 10, MetricKind.Cos, exact=True, threads=threads),
        "PyTorch f32": lambda: torch.topk(torch.mv(tensor, vector), 10),
        "numpy f32": numpy_topk,
    }
    def numkong_topk():
        distances = np.asarray(numkong.cdist(query8, quantized, metric="angular"))[0]
        best = np.argpartition(distances, 10)[:10]
        return best[np.argsort(distances[best])]
    if threads == 1:  # it has no threads
        peers["NumKong i8 + numpy"] = numkong_topk
        peers["NumKong i8, no top-k"] = lambda: numkong.cdist(query8, quantized, metric="angular")
    return peers


def rows():
    print("## Vocabulary rows: one query's ten best cosines\n\nMedians in ms, each library in turns with "
          "ours. \"ahead\" is the time of the fastest peer that finds the ten, over ours.\n")
    body = []
    names = ["vdsq", "NumKong i8 + numpy", "NumKong i8, no top-k", "FAISS SQ8", "USearch i8", "PyTorch f32", "numpy f32"]
    for r, c in VOCABULARIES:
        for threads in [1, 2]:
            def ours():
                found = bench("--kernels", "--kernel", "cosine-topk", "--threads", threads, "--seconds", 0.4,
                              "--shape", f"{r}x{c}")
                return found[0]["ms"]
            times = compare(ours, row_peers(r, c, threads), threads)
            ahead = min(t for n, t in times.items() if n != "vdsq" and "no top-k" not in n) / times["vdsq"]
            body.append([f"{r:,} x {c:,}", str(threads)]
                        + [significant(times[n]) if n in times else "" for n in names] + [f"{ahead:.1f}x"])
    table(["rows", "threads", *names, "ahead"], body)


def linear():
    import onnxruntime
    import torch
    from onnx import TensorProto, helper
    print("## int8 linear layers\n\nu8 activations, int8 weights, int32 sums, float outputs with a bias; ms.\n")
    body = []
    for outputs, inputs in LAYERS:
        weights = np.random.default_rng(1).integers(-127, 128, (inputs, outputs)).astype(np.int8)
        graph = helper.make_graph(
            [helper.make_node("MatMulInteger", ["x", "w", "z"], ["i"]),
             helper.make_node("Cast", ["i"], ["f"], to=TensorProto.FLOAT),
             helper.make_node("Mul", ["f", "s"], ["m"]), helper.make_node("Add", ["m", "b"], ["y"])],
            "g", [helper.make_tensor_value_info("x", TensorProto.UINT8, ["m", inputs])],
            [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["m", outputs])],
            [helper.make_tensor("w", TensorProto.INT8, [inputs, outputs], weights.tobytes(), raw=True),
             helper.make_tensor("z", TensorProto.UINT8, [], [128]),
             helper.make_tensor("s", TensorProto.FLOAT, [outputs], [0.01] * outputs),
             helper.make_tensor("b", TensorProto.FLOAT, [outputs], [0.5] * outputs)])
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        onnx_model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
        session = onnxruntime.InferenceSession(onnx_model.SerializeToString(), options)
        torch.set_num_threads(1)
        for batch in [8, 32, 128]:
            x = np.random.default_rng(2).integers(0, 256, (batch, inputs)).astype(np.uint8)
            f = x.astype(np.float32)
            w = weights.astype(np.float32)
            xt, wt = torch.from_numpy(f), torch.from_numpy(w)
            peers = {"ONNX Runtime int8": lambda: session.run(None, {"x": x}),
                     "PyTorch f32": lambda: xt @ wt, "numpy f32": lambda: f @ w}

            def ours():
                found = bench("--kernels", "--kernel", "gemm-int8", "--seconds", 0.2,
                              "--shape", f"{outputs}x{inputs}")
                return next(r for r in found if r["batch"] == batch)["ms"]
            times = compare(ours, peers, 1)
            ahead = min(t for n, t in times.items() if n != "vdsq") / times["vdsq"]
            body.append([f"{batch} x {inputs} by {outputs}"] + [significant(t) for t in times.values()]
                        + [f"{ahead:.1f}x"])
    table(["shape", "vdsq", "ONNX Runtime int8", "PyTorch f32", "numpy f32", "ahead"], body)


def encoder():
    import onnxruntime

    from peers import export
    export()
    print("## The int8 MiniLM encoder\n\nONNX Runtime: quantize_dynamic per channel, opset 17. The same number "
          "of tokens through both; ms.\n")
    body = []
    for threads in [1, 2]:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        session = onnxruntime.InferenceSession(str(CACHE / "minilm-int8.onnx"), options)
        for batch, tokens in [(1, 8), (1, 32), (1, 128), (32, 32)]:
            ids = np.random.default_rng(1).integers(1000, 20000, (batch, tokens))
            feed = {"input_ids": ids, "attention_mask": np.ones_like(ids)}
            peak = []

            def ours():
                r, = bench(model("int8"), "--tokens", tokens, "--batch", batch, "--threads", threads)
                peak.append(r["share_of_peak"])
                return r["ms"]
            times = compare(ours, {"ort": lambda: session.run(None, feed)}, threads)
            body.append([f"{batch} x {tokens}", str(threads), significant(times["vdsq"]),
                         significant(times["ort"]), f"{times['ort'] / times['vdsq']:.2f}x",
                         f"{statistics.median(peak):.0%}"])
    table(["batch x tokens", "threads", "vdsq", "ONNX Runtime int8", "ahead", "share of peak"], body)


def coarse():
    from sentences import OBJECTS, QUESTIONS, SUBJECTS, VERBS
    print("## The coarse first pass\n\nTime with random rows; recall with real ones: MiniLM's word embeddings, "
          "and states of generated sentences.\n")
    with tempfile.TemporaryDirectory() as folder:
        path = folder + "/coarse.vdsq"
        subprocess.run([VDSQ, "convert", CHECKPOINT, "-o", path, "--coarse", "-q"], check=True)
        texts = [f"{s} {v} {o}." for s in SUBJECTS for v in VERBS for o in OBJECTS] + QUESTIONS
        report = subprocess.run([VDSQ, "logits", path, "--field", "text", "--approx", "--top", "10"],
                                input=lines(texts), check=True, capture_output=True).stderr.decode()
    body = []
    for r, c in VOCABULARIES:
        times = {"cosine-topk": [], "coarse-topk": []}
        for _ in range(ROUNDS):
            for kernel, found in times.items():
                found.append(bench("--kernels", "--kernel", kernel, "--shape", f"{r}x{c}")[0]["ms"])
        exact, approximate = (statistics.median(t) for t in times.values())
        body.append([f"{r:,} x {c:,}", significant(exact), significant(approximate),
                     f"{exact / approximate:.1f}x"])
    table(["rows", "exact, ms", "coarse first, ms", "ahead"], body)
    print(report)


if __name__ == "__main__":
    for name in sys.argv[1:] or ["limits", "rows", "linear", "encoder", "coarse"]:
        os.environ.pop("VDSQ_ISA", None)
        {"limits": limits, "rows": rows, "linear": linear, "encoder": encoder, "coarse": coarse}[name]()

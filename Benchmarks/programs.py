"""Our programs and the folders they work in, and running a process with its memory measured."""
import json
import os
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


def model(weights):
    path = CACHE / ("minilm.vdsq" if weights == "int8" else f"minilm-{weights}.vdsq")
    if not path.exists():
        subprocess.run([VDSQ, "convert", CHECKPOINT, "-o", path, "--weights", weights, "-q"], check=True)
    return str(path)


def lines(texts):
    return "".join(json.dumps({"text": t}) + "\n" for t in texts).encode()


def measured(command, data=b""):
    """Runs a command; returns its output, wall seconds and peak resident bytes."""
    with tempfile.TemporaryFile() as source, tempfile.TemporaryFile() as sink:
        source.write(data)
        source.seek(0)
        start = time.perf_counter()
        process = subprocess.Popen(command, stdin=source, stdout=sink, stderr=subprocess.PIPE)
        errors = process.stderr.read()
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - start
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            raise SystemExit(f"{command[0]} failed: {errors.decode()}")
        sink.seek(0)
        return sink.read(), seconds, usage.ru_maxrss * 1024

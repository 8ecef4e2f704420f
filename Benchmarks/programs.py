"""The programs and folders of the benchmarks, and functions that run a process and measure its memory."""
import dataclasses
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


OPTIONS = {"int8": [], "fp16": ["--weights", "fp16"], "grouped": ["--group-size", "32"]}


def model(kind, checkpoint=CHECKPOINT):
    """The file of a checkpoint, which is converted unless it is there."""
    path = CACHE / ("minilm.vdsq" if kind == "int8" else f"minilm-{kind}.vdsq")
    if not path.exists():
        options = OPTIONS.get(kind, [])
        subprocess.run([VDSQ, "convert", checkpoint, "-o", path, "-q", *options], check=True)
    return str(path)


def language_model_checkpoint():
    """The GGUF file of SmolLM2-135M-Instruct, which is fetched unless it is there."""
    return subprocess.run([ROOT / "Tools/fetch-language-model"], capture_output=True, text=True,
                          check=True).stdout.strip()


def language_model():
    """SmolLM2-135M-Instruct in int8, which is converted unless it is there."""
    path = CACHE / "smollm2-int8.vdsq"
    if not path.exists():
        subprocess.run([VDSQ, "convert", language_model_checkpoint(), "-o", path, "-q"], check=True)
    return str(path)


def lines(texts):
    return "".join(json.dumps({"text": t}) + "\n" for t in texts).encode()


def measured(command, data=b""):
    """Runs a command; returns its output, wall seconds and peak resident bytes.

    Runs it through time(1), which is small, because the peak of a process includes its parent's at the fork.
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


def evict(path):
    """Drops a file from the page cache."""
    descriptor = os.open(path, os.O_RDONLY)
    os.fsync(descriptor)
    os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
    os.close(descriptor)


@dataclasses.dataclass
class Limited:
    """The result of a command in a memory cgroup; `peak` is the maximum that was charged to it."""
    status: int
    output: bytes
    seconds: float
    peak: int


def limited(command, data, limit, patience=None):
    """Runs a command in a cgroup of `limit` bytes; None if no cgroup can be made. Needs root, or a delegated
    cgroup.

    Pages of files are charged to the process that read them, so the page cache is dropped first. They are
    reclaimed before a process is killed. A command that takes more than `patience` seconds is killed and has
    status -9."""
    root = pathlib.Path("/sys/fs/cgroup")
    is_old = (root / "memory").is_dir()
    folder = (root / "memory" if is_old else root) / f"vdsq-bench-{os.getpid()}"
    limit_name, peak_name = (("memory.limit_in_bytes", "memory.max_usage_in_bytes") if is_old
                             else ("memory.max", "memory.peak"))
    try:
        folder.mkdir()
    except OSError:
        return None
    try:
        os.sync()
        pathlib.Path("/proc/sys/vm/drop_caches").write_text("1")
        (folder / limit_name).write_text(str(limit))
        for name, text in (("memory.swappiness", "0"), ("memory.swap.max", "0")):
            if (folder / name).exists():
                (folder / name).write_text(text)
        with tempfile.TemporaryFile() as source, tempfile.TemporaryFile() as sink:
            source.write(data)
            source.seek(0)
            start = time.perf_counter()
            # The shell goes into the cgroup and becomes the command.
            process = subprocess.Popen(["/bin/sh", "-c", f'echo $$ > {folder}/cgroup.procs && exec "$@"', "sh",
                                        *map(str, command)], stdin=source, stdout=sink, stderr=subprocess.DEVNULL)
            try:
                status = process.wait(patience)
            except subprocess.TimeoutExpired:
                process.kill()
                status = process.wait()
            seconds = time.perf_counter() - start
            sink.seek(0)
            peak = folder / peak_name
            return Limited(status, sink.read(), seconds, int(peak.read_text()) if peak.exists() else 0)
    except OSError:
        return None
    finally:
        for _ in range(50):
            try:
                folder.rmdir()
                break
            except OSError:
                time.sleep(0.02)

"""A server that runs while a test asks it."""
import contextlib
import json
import os
import pathlib
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request

VDSQD = os.environ.get("VDSQD", ".build/release/vdsqd")
MODEL = os.environ.get("MODEL", ".cache/minilm.vdsq")
LANGUAGE_MODEL = os.environ.get("LANGUAGE_MODEL", ".cache/smollm2.vdsq")
SCRATCH = pathlib.Path(os.environ.get("SCRATCH", "/tmp"))


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Service:
    """vdsqd at a port of this machine."""

    def __init__(self, *arguments, model=None, listen=None, environment=None, pass_fds=(), wait=True):
        self.port = free_port()
        self.log = SCRATCH / f"log-{self.port}"
        listen = listen if listen is not None else ["--listen", f"127.0.0.1:{self.port}"]
        with open(self.log, "w") as log:
            self.process = subprocess.Popen(
                [VDSQD, f"minilm={model or MODEL}", *listen, *arguments], stderr=log,
                env={**os.environ, **(environment or {})}, pass_fds=pass_fds)
        if wait:
            self.wait()

    @property
    def address(self):
        return f"http://127.0.0.1:{self.port}"

    def wait(self):
        for _ in range(500):
            if "listening" in self.log.read_text():
                return
            assert self.process.poll() is None, self.log.read_text()
            time.sleep(0.02)
        raise AssertionError("the server does not listen")

    def ask(self, path, body=None, method=None, headers=None):
        """The status and the answer, parsed if it is JSON."""
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(
            self.address + path, data=data, method=method,
            headers={**({} if body is None else {"content-type": "application/json"}), **(headers or {})})
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return answer.status, parsed(answer)
        except urllib.error.HTTPError as error:
            return error.code, parsed(error)

    def memory(self, field="VmRSS"):
        """Kilobytes."""
        for line in open(f"/proc/{self.process.pid}/status"):
            if line.startswith(field + ":"):
                return int(line.split()[1])

    def metric(self, name):
        for line in self.ask("/metrics")[1].splitlines():
            if line.startswith(name + " "):
                return float(line.split()[-1])
        raise KeyError(name)

    def stop(self, number=signal.SIGTERM):
        if self.process.poll() is None:
            self.process.send_signal(number)
        return self.process.wait(timeout=60)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        with contextlib.suppress(ProcessLookupError):
            if self.process.poll() is None:
                self.process.kill()
        self.process.wait()


def parsed(answer):
    body = answer.read()
    if answer.headers.get_content_type() == "application/json":
        return json.loads(body)
    return body.decode()

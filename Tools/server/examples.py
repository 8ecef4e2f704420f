"""Runs every curl of docs/serve.md, and compares what it prints: the same but for numbers."""
import os
import pathlib
import re
import subprocess

from service import LANGUAGE_MODEL, SCRATCH, Service

ROOT = pathlib.Path(__file__).resolve().parents[2]


def examples(page):
    """Commands of a page with the output that follows them."""
    for block in re.findall(r"^```console\n(.*?)^```$", page.read_text(), re.M | re.S):
        for part in re.split(r"^\$ ", block, flags=re.M)[1:]:
            lines = part.split("\n")
            count = 1
            # A command goes on behind a backslash, and within quotes.
            while lines[count - 1].endswith("\\") or "\n".join(lines[:count]).count("'") % 2:
                count += 1
            yield "\n".join(lines[:count]), "\n".join(lines[count:])


def compared(text):
    """Without numbers, and with line ends of the page as spaces."""
    text = re.sub(r"cmpl-[0-9a-f]+", "cmpl-N", text)
    return re.sub(r"-?\d+(\.\d+)?(e-?\d+)?", "N", re.sub(r"\s+", " ", text)).strip()


count = 0
with Service(f"smollm2={LANGUAGE_MODEL}", "--state-directory", str(SCRATCH / "examples")) as service:
    for command, output in examples(ROOT / "docs/serve.md"):
        if not command.startswith("curl"):
            continue
        run = command.replace("localhost:8080", f"127.0.0.1:{service.port}")
        done = subprocess.run(["bash", "-c", run], capture_output=True, text=True, cwd=SCRATCH,
                              env=os.environ)
        assert done.returncode == 0, (command, done.stderr)
        assert compared(done.stdout) == compared(output), f"{command}\n{done.stdout}\n{output}"
        count += 1
    assert count >= 14
print(f"ok: {count} examples of docs/serve.md")

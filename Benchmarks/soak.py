"""Measures whether memory grows: a million short texts through vdsq-run, and texts of all lengths through the
library for an hour (vdsq bench, half of it one by one and half in batches), sampling resident memory.

    Benchmarks/run soak [--texts 1000000] [--minutes 60] [--policy resident] [--svg FILE]

Prints resident memory after a hundredth of the work, the minimum and maximum from then on, and the value at
the end. Answers to the same texts must stay the same."""
import argparse
import json
import random
import subprocess
import tempfile
import threading
import time

from drawing import lines_chart
from programs import VDSQ, VDSQ_RUN, model
from sentences import OBJECTS, QUESTIONS, SHORT, SUBJECTS, VERBS, sentences

parser = argparse.ArgumentParser()
parser.add_argument("--texts", type=int, default=1_000_000)
parser.add_argument("--minutes", type=float, default=60)
parser.add_argument("--policy", default="resident")
parser.add_argument("--svg")
arguments = parser.parse_args()


def resident(pid):
    """Resident bytes, and resident anonymous bytes."""
    fields = dict(line.split(":", 1) for line in open(f"/proc/{pid}/status"))
    return tuple(int(fields[name].split()[0]) * 1024 for name in ("VmRSS", "RssAnon"))


def watch(process, samples, progress):
    while process.poll() is None:
        try:
            samples.append((progress(), *resident(process.pid)))
        except (KeyError, FileNotFoundError, ProcessLookupError):
            break
        time.sleep(0.2)


def row(name, samples, work):
    settled = [s for s in samples if s[0] >= samples[-1][0] / 100]
    first, low, high, last = (f(s[1] for s in settled) for f in (next, min, max, lambda v: list(v)[-1]))
    anonymous = settled[-1][2] - settled[0][2]
    print(f"| {name} | {work} | {first / 1e6:.2f} | {low / 1e6:.2f} | {high / 1e6:.2f} | {last / 1e6:.2f} | "
          f"{anonymous / 1024:+.0f} KiB |", flush=True)
    return [(s[0] / samples[-1][0], s[1] / 1e6) for s in samples]


def million():
    rng = random.Random(1)
    parts = SUBJECTS + VERBS + OBJECTS + QUESTIONS + SHORT
    block = [" ".join(rng.sample(parts, rng.randint(1, 2))) for _ in range(1000)]
    data = ("\n".join(block) + "\n").encode()
    command = [VDSQ_RUN, model("int8"), "--labels", "billing,outage,account,spam", "--memory-policy", arguments.policy]
    wanted = subprocess.run(command, input=data, stdout=subprocess.PIPE, check=True).stdout
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    blocks, answered, samples = arguments.texts // 1000, [0], []

    def feed():
        for _ in range(blocks):
            process.stdin.write(data)
        process.stdin.close()
    watcher = threading.Thread(target=watch, args=(process, samples, lambda: answered[0]))
    for thread in (threading.Thread(target=feed), watcher):
        thread.start()
    for _ in range(blocks):
        # Probabilities may differ in the last digit with the other texts of a batch.
        got = process.stdout.read(len(wanted))
        assert [line.split(b"\t")[0] for line in got.splitlines()] == \
            [line.split(b"\t")[0] for line in wanted.splitlines()], "answers changed"
        answered[0] += 1000
    process.wait()
    watcher.join()
    assert answered[0] == blocks * 1000
    return row(f"vdsq-run, {arguments.policy}", samples, f"{answered[0]:,} short texts")


def hour():
    with tempfile.NamedTemporaryFile("w") as file:
        texts = [text.replace("\n", " ") for text in sentences()]
        random.Random(2).shuffle(texts)
        file.write("".join(text + "\n" for text in texts if text))
        file.flush()
        begin, samples = time.monotonic(), []
        process = subprocess.Popen([VDSQ, "bench", model("int8"), "--texts", file.name, "--seconds",
                                    str(arguments.minutes * 30), "--memory-policy", arguments.policy, "--json"],
                                   stdout=subprocess.PIPE)
        watcher = threading.Thread(target=watch, args=(process, samples, lambda: time.monotonic() - begin))
        watcher.start()
        report = json.loads(process.stdout.read())
        watcher.join()
        assert process.wait() == 0
    # Starts are measured first, in separate processes.
    samples = [s for s in samples if s[0] > 3]
    return row(f"the library, {arguments.policy}", samples,
               f"{report['steady_texts']:,} texts of 2 to 256 tokens in {arguments.minutes:g} min")


print("| program | work | RSS after a hundredth, MB | least | most | at the end | anonymous memory grew by |")
print("|---|---|---|---|---|---|---|")
curves = [("vdsq-run, short texts", million()), ("library, mixed lengths", hour())]
if arguments.svg:
    lines_chart(arguments.svg, curves, x="share of the work", y="resident memory, MB")

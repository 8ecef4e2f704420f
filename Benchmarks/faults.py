"""A long stream with faults: records of which one in a hundred is broken in one of twenty ways, while the adapter is
replaced every second by cp, mv, garbage, truncation and another model's, and SIGHUP arrives every ten seconds.

    Benchmarks/run faults [--records 100000] [--seconds-per-replacement 1] [--program vdsq-run] [--model FILE]

Every good record must be answered once, in order, with a label of one of the good adapters; every broken one must get
one error record. Prints the counts, and resident memory after a tenth of the records, at least, at most, and at the end."""
import argparse
import json
import os
import random
import shutil
import signal
import subprocess
import tempfile
import threading
import time

from programs import ROOT, VDSQ, VDSQ_RUN, model

parser = argparse.ArgumentParser()
parser.add_argument("--records", type=int, default=100_000)
parser.add_argument("--seconds-per-replacement", type=float, default=1)
parser.add_argument("--seconds-per-reload", type=float, default=10)
parser.add_argument("--seconds", type=float, help="spread the records over this time; default: as fast as possible")
parser.add_argument("--program", choices=["vdsq", "vdsq-run"], default="vdsq-run")
parser.add_argument("--model")
arguments = parser.parse_args()

BROKEN = [
    b'{bad', b'{"text": "x"', b'{"text": null}', b'{"text": 5}', b'{"text": true}', b'{"text": ["x"]}',
    b'{"text": {"a": "x"}}', b'{}', b'[]', b'null', b'7', b'"text"', b'{"text": "x"} {"text": "y"}',
    b'{"text": "a\tb"}', b'{"text": "\\x"}', b'{"text": "\\u12"}', b'{"text": "x", "text": "y"}',
    b'{"text": "x",}', b"{'text': 'x'}", b'{"text": "' + b"x" * (1 << 20) + b'"}',
]
WORDS = ["refund", "charged", "twice", "invoice", "server", "down", "login", "password", "slow", "thanks", "café", "😀"]
rng = random.Random(1)


def records():
    """Each record with whether it is good."""
    for i in range(arguments.records):
        if i % 100 == 50:
            yield BROKEN[i // 100 % len(BROKEN)], False
        else:
            text = " ".join(rng.choice(WORDS) for _ in range(rng.randint(1, 12)))
            yield json.dumps({"id": i, "meta": {"at": f"t{i}"}, "text": text},
                             ensure_ascii=i % 2 == 0).encode(), True


class Replacer(threading.Thread):
    """Replaces the adapter in turn, well and badly, and sends SIGHUP."""

    def __init__(self, process, path, good, other):
        super().__init__(daemon=True)
        self.process, self.path, self.good, self.other = process, path, good, other
        self.replaced, self.reloads, self.stop = {}, 0, threading.Event()

    def run(self):
        ways = [self.cp, self.mv, self.garbage, self.mv, self.truncation, self.cp, self.foreign, self.slow_cp,
                self.removal, self.mv, self.empty, self.cp, self.damage]
        begin, turn, reload_at = time.monotonic(), 0, arguments.seconds_per_reload
        while not self.stop.wait(arguments.seconds_per_replacement):
            way = ways[turn % len(ways)]
            way(self.good[turn % 2])
            self.replaced[way.__name__] = self.replaced.get(way.__name__, 0) + 1
            turn += 1
            if time.monotonic() - begin >= reload_at:
                reload_at += arguments.seconds_per_reload
                self.process.send_signal(signal.SIGHUP)
                self.reloads += 1

    def cp(self, source):
        shutil.copyfile(source, self.path)

    def slow_cp(self, source):
        data = open(source, "rb").read()
        with open(self.path, "wb") as file:
            for start in range(0, len(data), max(1, len(data) // 5)):
                file.write(data[start:start + max(1, len(data) // 5)])
                file.flush()
                time.sleep(0.05)

    def mv(self, source):
        shutil.copyfile(source, self.path + ".new")
        os.replace(self.path + ".new", self.path)

    def garbage(self, _):
        with open(self.path, "wb") as file:
            file.write(rng.randbytes(5000))

    def truncation(self, source):
        shutil.copyfile(source, self.path)
        os.truncate(self.path, os.path.getsize(self.path) // 2)

    def damage(self, source):
        data = bytearray(open(source, "rb").read())
        data[len(data) // 2] ^= 1
        with open(self.path, "wb") as file:
            file.write(data)

    def foreign(self, _):
        shutil.copyfile(self.other, self.path)

    def removal(self, _):
        if os.path.exists(self.path):
            os.remove(self.path)

    def empty(self, _):
        open(self.path, "wb").close()


def adapt(model_file, path, names):
    examples = path + ".jsonl"
    with open(examples, "w") as file:
        for i in range(8):
            for name in names:
                print(json.dumps({"text": f"{name} {WORDS[i]}", "label": name}), file=file)
    subprocess.run([VDSQ, "adapt", model_file, examples, "-o", path, "--method", "frozen", "-q"], check=True)


def resident(pid):
    """Resident bytes, in a list; nothing of a process that has ended."""
    return [int(line.split()[1]) * 1024 for line in open(f"/proc/{pid}/status") if line.startswith("VmRSS")]


with tempfile.TemporaryDirectory() as folder:
    file = os.path.abspath(arguments.model) if arguments.model else model("int8")
    good = [os.path.join(folder, f"good{i}.vdsa") for i in range(2)]
    labels = [["billing", "outage", "account"], ["money", "trouble", "praise", "account"]]
    for path, names in zip(good, labels):
        adapt(file, path, names)
    foreign = os.path.join(folder, "foreign.vdsq")
    subprocess.run([VDSQ, "convert", str(ROOT / "Tests/Fixtures/bert-cls-f16"), "-o", foreign, "-q"], check=True)
    other = os.path.join(folder, "other.vdsa")
    adapt(foreign, other, labels[0])
    path = os.path.join(folder, "used.vdsa")
    shutil.copyfile(good[0], path)
    command = ([VDSQ, "classify"] if arguments.program == "vdsq" else [os.environ.get("VDSQ_RUN", VDSQ_RUN)]) + [
        file, "--adapter", path, "--field", "text", "--pass", "id,meta.at", "--json"]
    errors = open(os.path.join(folder, "errors"), "w+")
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors)
    wanted, begin = [], time.monotonic()

    def feed():
        for i, (record, is_good) in enumerate(records()):
            wanted.append(is_good)
            process.stdin.write(record + b"\n")
            if arguments.seconds and i % 20 == 0:
                process.stdin.flush()
                time.sleep(max(0, begin + arguments.seconds * i / arguments.records - time.monotonic()))
        process.stdin.close()
    feeder, replacer = threading.Thread(target=feed), Replacer(process, path, good, other)
    feeder.start()
    replacer.start()
    names, memory, answered, failed = {name for list in labels for name in list}, [], 0, 0
    seen = {}
    for i, line in enumerate(process.stdout):
        answer = json.loads(line)
        if wanted[i]:
            assert answer["id"] == i and answer["meta.at"] == f"t{i}", (i, answer)
            assert answer["label"] in names, answer
            seen[answer["label"]] = seen.get(answer["label"], 0) + 1
            answered += 1
        else:
            assert answer.get("line") == i + 1 and "error" in answer, (i, answer)
            failed += 1
        if i % max(1, arguments.records // 1000) == 0:
            memory += resident(process.pid)
    status = process.wait()
    seconds = time.monotonic() - begin
    replacer.stop.set()
    feeder.join()
    errors.seek(0)
    told = errors.read().splitlines()
    assert status == 0, (status, told)
    assert answered == sum(wanted) and answered + failed == arguments.records, (answered, failed)
    # The first record of a mebibyte, after 2%, enlarges the buffer of lines once.
    settled = memory[len(memory) // 10:]
    print(f"{arguments.records:,} records in {seconds:.1f} s: {answered:,} answered, {failed:,} failed; "
          f"labels {seen}")
    print(f"adapter replaced {sum(replacer.replaced.values())} times ({replacer.replaced}), {replacer.reloads} SIGHUP, "
          f"{len(told)} lines on standard error; the last: {told[-1] if told else ''}")
    print(f"RSS, MB: {settled[0] / 1e6:.2f} after a tenth, then at least {min(settled) / 1e6:.2f}, at most {max(settled) / 1e6:.2f}, "
          f"at the end {settled[-1] / 1e6:.2f}")

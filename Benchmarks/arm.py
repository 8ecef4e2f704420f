"""What the kernels for aarch64 would cost on CPUs that are not here: loops by llvm-mca's models, executed instructions
by QEMU.

    arm.py [TEXTS]    builds, prints the loops, and the modelled cycles per text
    arm.py --check    compares the loops of Tools/build-embedded aarch64 with the committed table
    arm.py --write    writes to the table what those loops are now

The model is all-MiniLM-L6-v2, the texts are Models/samples/tickets.txt. A loop fails the check if it has more spills
than in the table, or if its share of the CPU's peak is lower by more than 5 points."""
import collections
import os
import pathlib
import re
import subprocess
import sys
import tempfile

import aarch64
from aarch64 import CORES
from programs import CACHE, ROOT

OBJECTS = ROOT / ".build-embedded/aarch64"
TABLE = ROOT / "Benchmarks/arm/loops.tsv"
ALLOWED_POINTS = 5
# An instruction set, its object, and the CPUs that run it.
TARGETS = [
    ("neon", "VDSQKernels.o", ["a53", "a72"]),
    ("dotprod", "VDSQKernelsDotProd.o", ["a55", "n1", "v1"]),
    ("i8mm", "VDSQKernelsI8MM.o", ["v1"]),
]


def has(*names):
    """A loop with one of the instructions."""
    return lambda loop: any(i.name in names for i in loop)


def lacks(*names):
    return lambda loop: not has(*names)(loop)


def both(first, second):
    return lambda loop: first(loop) and second(loop)


CONVERSIONS = ("fcvtl", "fcvtl2", "scvtf", "fmin", "fmax")
INT8 = has("smull", "sdot", "smmla")
FLOAT = has("fmla")
# A loop, the kernel or function that has it, which of its loops it may be, and its work: multiply-adds beside the CPU's
# peak, or the floats that it loads or stores. Of several, it is the one with the most work, and of those the fastest.
LOOPS = [
    ("int8 GEMM", "multiply", INT8, "int8"),
    ("int8 GEMM, one row", "gemmU8S8", INT8, "int8"),
    ("fp16 GEMM", "gemmFloat|floatPanels", both(FLOAT, has("fcvtl")), "float"),
    ("fp32 GEMM", "gemmFloat|floatPanels", both(FLOAT, lacks(*CONVERSIONS)), "float"),
    ("attention", "attention", both(FLOAT, lacks(*CONVERSIONS)), "float"),
    ("causal attention", "causalAttention", both(FLOAT, lacks(*CONVERSIONS)), "float"),
    ("cosines, one query", "cosineTopKOf", both(INT8, lacks("saddw")), "int8"),
    ("cosines, four queries", "cosineTopKBatch|forEachCosines", INT8, "int8"),
    ("exponentials", "attention", both(FLOAT, has("shl")), "ld"),
    ("GELU", "gemmU8S8", both(has("fmin"), lacks("fdiv", "fcvtl", "shl")), "st"),
    ("LayerNorm: scale", "addLayerNorm", both(FLOAT, has("fmin")), "st"),
    ("quantize: range", "quantizeRows", has("fmin", "fmax"), "ld"),
    ("quantize: round", "quantizeRows", has("sqxtun"), "ld"),
]


def kernel_names():
    """The kernels of `KernelTable`, in the order of their closures."""
    source = (ROOT / "Sources/VDSQKernels/KernelTable.swift").read_text()
    return re.findall(r"^    (\w+) = \{", source, re.MULTILINE)


def kernel(function, names):
    """The name of the kernel that a function of the object is, or its own name."""
    if found := re.search(r"closure #(\d+) in KernelTable\.init", function):
        return names[int(found[1]) - 1]
    return re.sub(r"\(.*", "", function).split(".")[-1]


def candidates(of, matches, code):
    """The loops that may be one of the table's. One with a call is not an innermost loop."""
    return [loop for function, body in code if re.fullmatch(of, function) for loop in aarch64.loops(body)
            if matches(loop) and lacks("bl", "blr")(loop)]


def work(loop, unit):
    if unit in ("int8", "float"):
        return sum(i.products for i in loop)
    return 4 * sum(i.registers for i in loop if i.name.startswith(unit) and not i.is_spill)


def spills(loop):
    """Loads and stores of vectors on the stack."""
    return sum(i.is_spill for i in loop)


def measured():
    """The loops of the table: a row for each CPU."""
    names = kernel_names()
    for isa, file, cores in TARGETS:
        code = [(kernel(function, names), body) for function, body in aarch64.functions(OBJECTS / file)]
        found = [candidates(of, matches, code) for _, of, matches, _ in LOOPS]
        for core in cores:
            cost = iter(aarch64.cycles(CORES[core], [loop for loops in found for loop in loops]))
            for (name, _, _, unit), loops in zip(LOOPS, found):
                if not loops:
                    raise SystemExit(f"{file} has no loop of {name}")
                costs = [(loop, next(cost)) for loop in loops]
                loop, cycles = max(costs, key=lambda c: (work(c[0], unit), -c[1]))
                yield row(name, isa, core, loop, cycles, unit)


def row(name, isa, core, loop, cycles, unit):
    peak = {"int8": CORES[core].i8mm if has("smmla")(loop) else CORES[core].int8,
            "float": CORES[core].float32}.get(unit)
    amount = work(loop, unit)
    return {"loop": name, "isa": isa, "cpu": core, "instructions": str(len(loop)), "spills": str(spills(loop)),
            "loads": str(sum(i.name.startswith("ld") for i in loop)),
            "work": f"{amount} {'MAC' if peak else 'floats'}", "cycles": f"{cycles:.1f}",
            "per cycle": f"{amount / cycles:.2f}",
            "share of peak": f"{100 * amount / cycles / peak:.0f}%" if peak else ""}


def speed(row):
    return float(row["work"].split()[0]) / float(row["cycles"])


def share(row):
    return float(row["share of peak"][:-1])


def check(rows):
    lines = TABLE.read_text().splitlines()
    head = lines[0].split("\t")
    known = {tuple(values[:3]): dict(zip(head, values)) for values in (line.split("\t") for line in lines[1:])}
    failed = 0
    for r in rows:
        before = known.get((r["loop"], r["isa"], r["cpu"]))
        if not before:
            faults = ["is not in the table"]
        else:
            faults = []
            if int(r["spills"]) > int(before["spills"]):
                faults.append(f"has {r['spills']} spills, not {before['spills']}")
            # Where there is no peak, the speed is compared with that of the table.
            now, then = (share(r), share(before)) if r["share of peak"] else (100 * speed(r) / speed(before), 100)
            if now < then - ALLOWED_POINTS:
                faults.append(f"has {now:.0f}% of the {'peak' if r['share of peak'] else 'former speed'}, "
                              f"not {then:.0f}%")
        for fault in faults:
            print(f"FAILED: {r['loop']}, {r['isa']} on {r['cpu']}, {fault}")
            failed = 1
    print(f"{len(rows)} loops are as fast as in {TABLE.relative_to(ROOT)}" if not failed else
          "Benchmarks/run arm --write accepts the loops as they are")
    return failed


def table(rows):
    head = list(rows[0])
    print("| " + " | ".join(head) + " |\n|" + "---|" * len(head))
    for r in rows:
        print("| " + " | ".join(r.values()) + " |")
    print(flush=True)


def executed(isa, program, texts, folder):
    """How often each block of the program was executed, less what it takes without a text, and its answers."""
    labels = ";".join((ROOT / "Models/samples/labels.txt").read_text().splitlines())
    counts = []
    for data in (texts, b""):
        path = folder / "count"
        out = subprocess.run(
            ["qemu-aarch64", "-cpu", "max", "-plugin", f"{folder / 'count.so'},o={path}", program,
             CACHE / "minilm.vdsq", "--labels", labels, "--threads", "1"],
            input=data, capture_output=True, check=True, env={**os.environ, "VDSQ_ISA": isa})
        counts.append((aarch64.counted(path), out.stdout))
    (all_of, answers), (start, _) = counts
    all_of.subtract(start)
    return {block: n for block, n in all_of.items() if n > 0}, answers


def per_text(texts):
    """Modelled cycles of a text: each executed block as if it repeated, times how often it ran."""
    count = len(texts.splitlines())
    names = kernel_names()
    print(f"{count} texts, {len(texts) // count} bytes each on average.\n")
    rows, answers = [], set()
    with tempfile.TemporaryDirectory() as scratch:
        folder = pathlib.Path(scratch)
        subprocess.run(["gcc", "-O2", "-shared", "-fPIC", "-o", folder / "count.so", ROOT / "Benchmarks/arm/count.c"],
                       check=True)
        program = OBJECTS / "vdsq-run"  # with symbols
        code = aarch64.functions(program)
        at = {i.address: i for _, body in code for i in body}
        owner = {i.address: kernel(function, names) for function, body in code for i in body}
        for isa, _, cores in TARGETS:
            blocks, answer = executed(isa, program, texts, folder)
            answers.add(answer)
            total = sum(length * n for (_, length), n in blocks.items())
            hot, seen = [], 0
            for (address, length), n in sorted(blocks.items(), key=lambda b: -b[0][1] * b[1]):
                if seen > 0.997 * total:
                    break
                seen += length * n
                body = [at[a] for a in range(address, address + 4 * length, 4) if a in at]
                hot.append((owner.get(address, "?"), [i for i in body if not i.ends_block], n))
            for core in cores:
                cost = aarch64.cycles(CORES[core], [body for _, body, _ in hot])
                shares = collections.Counter()
                for (name, _, n), c in zip(hot, cost):
                    shares[name] += c * n
                cycles = sum(shares.values())
                largest = ", ".join(f"{name} {100 * c / cycles:.0f}%" for name, c in shares.most_common(5))
                rows.append({"isa": isa, "cpu": core, "million instructions": f"{total / count / 1e6:.2f}",
                             "million cycles": f"{cycles / count / 1e6:.2f}", "most of them": largest})
    table(rows)
    if len(answers) > 1:
        raise SystemExit("answers differ between instruction sets")


def main(arguments):
    if arguments == ["--check"]:
        return check(list(measured()))
    if arguments == ["--write"]:
        rows = list(measured())
        TABLE.write_text("\n".join("\t".join(line) for line in [rows[0], *(r.values() for r in rows)]) + "\n")
        return 0
    if len(arguments) > 1 or any(a.startswith("-") for a in arguments):
        raise SystemExit(__doc__)
    subprocess.run([ROOT / "Tools/need", "qemu-user", "gcc", "gcc-aarch64-linux-gnu", "libc6-dev-arm64-cross",
                    "llvm-19"], check=True)
    subprocess.run([ROOT / "Tools/build-embedded", "aarch64", "vdsq-run"], check=True, stdout=sys.stderr)
    print("## Loops\n")
    table(list(measured()))
    print("## A text\n")
    per_text(pathlib.Path(arguments[0] if arguments else ROOT / "Models/samples/tickets.txt").read_bytes())
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

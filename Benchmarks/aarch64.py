"""Machine code of aarch64: functions and innermost loops of an object, and what they cost on modelled CPUs."""
import collections
import dataclasses
import re
import shutil
import subprocess
from pathlib import Path

MCA = "llvm-mca-19"
FEATURES = "+v8.2a,+dotprod,+i8mm,+fullfp16"
TOOLCHAIN = Path(shutil.which("swiftc") or "swiftc").resolve().parent


@dataclasses.dataclass(frozen=True)
class Core:
    """A CPU by llvm-mca's model. Peaks are multiply-adds per cycle."""
    name: str
    width: int  # instructions decoded per cycle
    in_order: bool  # with units of 64 bits: a vector of 128 bits, or a load of one, takes both
    int8: float
    float32: int
    i8mm: int = 0


CORES = {
    "a53": Core("cortex-a53", 2, True, 16 / 3, 4),
    "a55": Core("cortex-a55", 2, True, 16, 4),
    "a72": Core("cortex-a72", 3, False, 8, 4),
    "n1": Core("neoverse-n1", 4, False, 32, 8),
    "v1": Core("neoverse-v1", 8, False, 64, 16, 128),
}


@dataclasses.dataclass(frozen=True)
class Instruction:
    address: int
    name: str
    operands: str

    @property
    def target(self):
        """Where a branch goes, if it is one with a known target."""
        if self.name == "b" or self.name.startswith(("b.", "cb", "tb")):
            found = re.search(r"0x([0-9a-f]+)$", self.operands)
            return int(found[1], 16) if found else None
        return None

    @property
    def ends_block(self):
        return self.target is not None or self.name in ("bl", "blr", "br", "ret")

    @property
    def registers(self):
        """Vector registers of 128 bits that it loads or stores."""
        if not self.name.startswith(("ld", "st")):
            return 0
        return (2 if self.name[2] == "p" else 1) if self.operands.startswith("q") else 0

    @property
    def is_spill(self):
        return self.registers > 0 and bool(re.search(r"\[(sp|x29)\b", self.operands))

    @property
    def is_vector(self):
        """Whether it takes the units of vectors."""
        return (not self.name.startswith(("ld", "st", "prf"))
                and bool(re.search(r"\bv\d+\.|\b[qd]\d+\b", self.operands)))

    @property
    def products(self):
        """Multiply-adds."""
        result = self.operands.split(",")[0]
        if self.name == "smmla":
            return 32
        if self.name == "sdot":
            return 16
        if self.name in ("smull", "smull2", "smlal", "smlal2"):
            return 8 if result.endswith(".8h") else 4
        if self.name == "fmla":
            return 4 if result.endswith(".4s") else 2
        return 0


def functions(path):
    """The names and instructions of the functions of an object or program."""
    text = subprocess.run(
        [TOOLCHAIN / "llvm-objdump", "-d", "-r", "--no-show-raw-insn", f"--mattr={FEATURES}", path],
        capture_output=True, text=True, check=True).stdout
    # Functions that are equal are merged to one without a name, to which they jump.
    found, jumps = [], []
    for line in text.splitlines():
        if head := re.match(r"[0-9a-f]+ <(.*)>:$", line):
            found.append((head[1], []))
        elif relocation := re.match(r"\s+[0-9a-f]+:\s+R_AARCH64_(\w+)\s+(.*)", line):
            if relocation[1] == "JUMP26" and "L__unnamed" in relocation[2]:
                jumps.append((found[-1][0], relocation[2]))
        elif found and (code := re.match(r"\s*([0-9a-f]+):\s+(\S+)\s*(.*)$", line)):
            operands = re.sub(r"\s*(//|<).*", "", code[3]).strip()
            found[-1][1].append(Instruction(int(code[1], 16), code[2], operands))
    found += [(name, code) for name, target in jumps for merged, code in found if merged == target]
    names = subprocess.run([TOOLCHAIN / "swift-demangle", "--simplified"], text=True, check=True,
                           input="\n".join(name for name, _ in found), capture_output=True).stdout
    return [(name, code) for name, (_, code) in zip(names.splitlines(), found) if code]


def loops(code):
    """The innermost loops of a function."""
    ranges = [(i.target, i.address) for i in code
              if i.target is not None and code[0].address <= i.target <= i.address]
    for first, last in ranges:
        if not any((first, last) != other and first <= other[0] and other[1] <= last
                   for other in ranges):
            yield [i for i in code if first <= i.address <= last]


def assembly(code, label):
    lines = [f"{label}:"]
    for i in code:
        operands = i.operands
        if i.name in ("adr", "adrp"):
            operands = operands.split(",")[0] + f", {label}"
        elif i.target is not None:
            operands = re.sub(r"0x[0-9a-f]+$", label, operands)
        lines.append(f"\t{i.name}\t{operands}")
    return "\n".join(lines)


def cycles(core, bodies, iterations=100):
    """Cycles of one iteration of each body if it repeats: by llvm-mca, but no fewer than decoding and, on in-order
    CPUs, the units of vectors take."""
    source = "\n".join(
        f"# LLVM-MCA-BEGIN b{n}\n{assembly(body, f'.L{n}')}\n# LLVM-MCA-END b{n}"
        for n, body in enumerate(bodies) if body) + "\n"
    out = subprocess.run(
        [MCA, "-mtriple=aarch64", f"-mcpu={core.name}", f"-mattr={FEATURES}", f"-iterations={iterations}",
         "-resource-pressure=false", "-instruction-info=false"],
        input=source, capture_output=True, text=True)
    if out.returncode:
        raise SystemExit(f"{MCA} failed: {out.stderr[:2000]}")
    modelled = {int(n): int(total) / iterations for n, total in re.findall(
        r"Code Region - b(\d+)\n\nIterations:.*\n.*\nTotal Cycles:\s+(\d+)", out.stdout)}
    result = []
    for n, body in enumerate(bodies):
        least = len(body) / core.width
        if core.in_order:
            loads = sum(i.registers for i in body if i.name.startswith("ld"))
            least = max(least, sum(i.is_vector for i in body) + loads)
        result.append(max(modelled[n], least) if body else 0)
    return result


def counted(path):
    """The executions that count.c wrote: of each address and number of instructions."""
    found = collections.Counter()
    for line in open(path):
        address, length, count = line.split()
        found[int(address, 16), int(length)] += int(count)
    return found

#!/usr/bin/env python3
"""Breaks the kernels on purpose, one place at a time, and sees whether their tests notice.

mutants.py [UNIT...] [--list] [--most N] [--line N] [--jobs N]: for each unit (a source or header of
this folder; all without arguments) makes its mutants: a barrier or a wait dropped, a wait one group
short, a predicate dropped, a bound or an index off by one, minimum for maximum. Each is compiled into
an emulated library of its own and given to the unit's tests, in a process of its own: one that crashes or
hangs is noticed. A mutant that no test fails on must be listed in mutants.txt with the reason why it
computes the same; any other is printed, and so is what mutants.txt lists without need; then the exit
status is 1. The tests must pass on the kernels as they are, or nothing is told of mutants.

The tree must be built first: the tests are run from target/test-classes of platform/testkit.
"""
import argparse
import concurrent.futures
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import zipfile
from resource import RLIMIT_CPU, RUSAGE_CHILDREN, getrusage, setrlimit

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
OBJECTS = ROOT / "kernels/target/emulated/objects"
FLAGS = ("-std=c++20 -O1 -fPIC -fvisibility=hidden -ffp-contract=off -fno-strict-aliasing "
         "-Wno-unknown-pragmas -mfma -mf16c "
         # crashes at a vector at an odd address, as a device would, and beyond an array of a thread
         "-fsanitize=alignment,bounds -fsanitize-undefined-trap-on-error").split()

# what a unit is compiled in, and which tests it must pass
UNITS = {
    "append.cu": (["append"], ["AppendKernelTest"]),
    "attend.cu": (["attend"], ["AttendKernelTest"]),
    "cache.cuh": (["append"], ["AppendKernelTest"]),
    "decode.cu": (["decode"], ["DecodeKernelTest"]),
    "elementwise.cu": (["elementwise"], ["ElementwiseKernelTest"]),
    "embed.cu": (["embed"], ["EmbedKernelTest"]),
    "experts.cu": (["experts"], ["ExpertsKernelTest"]),
    "flash.cuh": (["prefill", "decode"], ["PrefillKernelTest", "DecodeKernelTest"]),
    "logits.cu": (["logits"], ["LogitsKernelTest"]),
    "move.cu": (["move"], ["MoveKernelTest"]),
    "multiply.cu": (["multiply"], ["MultiplyKernelTest"]),
    "multiply_few.cu": (["multiply_few"], ["MultiplyFewKernelTest"]),
    "multiply_few_packed.cu": (["multiply_few_packed", "elementwise"],
                               ["MultiplyFewPackedKernelTest"]),
    "multiply_mma.cu": (["multiply_mma"], ["MultiplyMmaKernelTest"]),
    "multiply_packed.cu": (["multiply_packed"], ["MultiplyPackedKernelTest"]),
    "norm.cu": (["norm"], ["NormKernelTest"]),
    "numbers.cuh": (["append"], ["NumbersKernelTest", "AppendKernelTest"]),
    "packed_codes.cuh": (["multiply_packed", "multiply_few_packed", "elementwise"],
                         ["MultiplyPackedKernelTest", "MultiplyFewPackedKernelTest"]),
    "prefill.cu": (["prefill"], ["PrefillKernelTest"]),
    "primitives.cuh": (["norm", "attend", "quantise"],
                       ["NormKernelTest", "AttendKernelTest", "QuantiseKernelTest"]),
    "quantise.cu": (["quantise"], ["QuantiseKernelTest"]),
    "rows.cuh": (["move", "sample"], ["MoveKernelTest", "SampleKernelTest"]),
    "runs.cuh": (["norm", "elementwise"], ["NormKernelTest", "ElementwiseKernelTest"]),
    "sample.cu": (["sample"], ["SampleKernelTest"]),
    "unpack.cu": (["unpack"], ["UnpackKernelTest"]),
    "weights.cuh": (["embed"], ["EmbedKernelTest"]),
}

# pattern, replacements
OPERATORS = [
    (r"__syncthreads\(\);", [";"]),
    (r"sync_warp\(\);", [";"]),
    (r"copies_wait<STAGES - 2>\(\);", [";", "copies_wait<STAGES - 1>();"]),
    (r"copies_wait<0>\(\);", [";", "copies_wait<1>();"]),
    (r"inside \? 16 : 0", ["16"]),
    (r"\bif \((?!!?constexpr)([^;{}]*?)\)(?= |\n)", ["if (true)", "if (false)"]),
    (r" < ", [" <= "]),
    (r" <= ", [" < "]),
    (r" >= ", [" > "]),
    (r" > ", [" >= "]),
    (r" \+ 1\b", [""]),
    (r" - 1\b", [""]),
    (r"fmaxf\(", ["fminf("]),
    (r"\bmin\(", ["max("]),
    (r"\bmax\(", ["min("]),
    (r" && ", [" || "]),
    (r"\[i\]", ["[i ^ 1]"]),
    (r"\[row\]", ["[row ^ 1]"]),
    (r" % ", [" / "]),
    (r"blockIdx\.([xy])", [r"(blockIdx.\1 + 1)"]),
    (r"blockDim\.x", ["(blockDim.x + 1)"]),
    (r" \+ (?=[a-z(])", [" - "]),
]


def code_lines(text):
    """The lines that compute something: no comments, directives, declarations of templates."""
    inside = False
    device = True
    for number, line in enumerate(text.split("\n")):
        stripped = line.strip()
        if "#ifndef __CUDACC__" in line:
            device = False
        if stripped == "#endif":
            device = True
        comment = inside or stripped.startswith(("/*", "//"))
        if "/*" in line and "*/" not in line:
            inside = True
        elif "*/" in line:
            inside = False
        if comment or not stripped or stripped.startswith(("#", "template", "static_assert")):
            continue
        if device and "static constexpr" not in line and "operator" not in line:
            yield number, line


def mutants(unit, text):
    lines = text.split("\n")
    seen = set()
    for number, line in code_lines(text):
        code = re.sub(r"/\*.*?\*/", lambda comment: "." * len(comment[0]), line.split("//")[0])
        for pattern, replacements in OPERATORS:
            for match in re.finditer(pattern, code):
                for replacement in replacements:
                    if match.group(0) == f"if ({'true' if 'true' in replacement else 'false'})":
                        continue
                    changed = line[:match.start()] + match.expand(replacement) + line[match.end():]
                    if changed == line or (number, changed) in seen:
                        continue
                    seen.add((number, changed))
                    mutated = lines[:number] + [changed] + lines[number + 1:]
                    yield number + 1, line.strip(), changed.strip(), "\n".join(mutated)


def thinned(found, most):
    """All that touch barriers, waits and copies; of the others, evenly spread ones."""
    vital = [m for m in found if re.search(r"__syncthreads|sync_warp|copies_wait|inside \? 16", m[1])]
    rest = [m for m in found if m not in vital]
    room = max(0, most - len(vital))
    step = max(1, len(rest) / max(1, room))
    return vital + [rest[int(i * step)] for i in range(min(room, len(rest)))]


class Bench:
    """A folder in which mutants are built and tested."""

    def __init__(self, folder, java):
        self.folder = folder
        self.java = java
        self.sources = folder / "sources"  # as they are now, whatever is edited meanwhile
        shutil.copytree(HERE, self.sources)
        self.header = self.sources / "emulator/device.h"
        # compiled once: it is most of what a mutant would be compiled for
        subprocess.run(["c++", *FLAGS, "-x", "c++-header", self.header, "-o", f"{self.header}.gch"],
                       check=True)
        self.classpath = ":".join(map(str, self.packed_classes() + jars()))
        self.seconds = 600  # of computing that tests may take: others' load does not count

    def packed_classes(self):
        """Archives of the built classes, as the JVM starts faster on them."""
        archives = []
        for classes in ("testkit/target/test-classes", "testkit/target/classes",
                        "engine/target/classes", "spi/target/classes"):
            root = ROOT / "platform" / classes
            archive = self.folder / (classes.replace("/", "-") + ".jar")
            with zipfile.ZipFile(archive, "w") as out:
                for file in sorted(root.rglob("*")):
                    if file.is_file():
                        out.write(file, file.relative_to(root))
            archives.append(archive)
        return archives

    def run(self, library, tests):
        """The exit status of the tests; None if they take too long."""
        command = [self.java, "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Xmx512m",
                   "-XX:+AutoCreateSharedArchive", f"-XX:SharedArchiveFile={self.folder}/classes.jsa",
                   "-Xlog:disable", "-XX:-CreateCoredumpOnCrash",
                   f"-XX:ErrorFile={self.folder}/error", "--enable-native-access=ALL-UNNAMED",
                   f"-Dmillrace.cuda.emulated={library}", "-cp", self.classpath,
                   "dev.millrace.testkit.cuda.KernelTestRun", *tests]
        try:
            done = subprocess.run(command, capture_output=True, timeout=1800,
                                  preexec_fn=lambda: setrlimit(RLIMIT_CPU, (self.seconds,) * 2))
            return None if done.returncode in (-signal.SIGXCPU, -signal.SIGKILL) else done.returncode
        except subprocess.TimeoutExpired:
            return None

    def check_clean(self, unit):
        """The unit as it is passes; how long that takes is what hanging is measured by."""
        began = getrusage(RUSAGE_CHILDREN).ru_utime
        self.seconds = 600
        how = self.verdict(unit, (self.sources / unit).read_text())
        if how:
            sys.exit(f"{unit} as it is: {how}; is the tree built?")
        self.seconds = 20 + 5 * int(getrusage(RUSAGE_CHILDREN).ru_utime - began)

    def verdict(self, unit, text):
        """How the tests notice a mutant; empty if they do not."""
        sources, tests = UNITS[unit]
        with tempfile.TemporaryDirectory(dir=self.folder) as name:
            folder = pathlib.Path(name)
            (folder / "emulator").symlink_to(self.sources / "emulator")
            for source in self.sources.glob("*.cu*"):
                shutil.copy(source, folder)
            (folder / unit).write_text(text)
            objects = [OBJECTS / "emulator.o"]
            for source in sources:
                if unit.endswith(".cu") and unit != f"{source}.cu":
                    objects.append(OBJECTS / f"{source}.o")  # no mutant of it
                    continue
                objects.append(folder / f"{source}.o")
                done = subprocess.run(
                    ["c++", *FLAGS, "-include", self.header, "-x", "c++", "-c",
                     folder / f"{source}.cu", "-o", objects[-1]], capture_output=True)
                if done.returncode:
                    return "does not compile"
            library = folder / "mutant.so"
            subprocess.run(["c++", "-shared", "-o", library, *objects], check=True)
            status = self.run(library, tests)
            return {0: "", 1: "fails", None: "hangs"}.get(status, "crashes")


def jars():
    version = re.search(r"<v.junit>(.*?)<", (ROOT / "pom.xml").read_text()).group(1)
    repository = pathlib.Path.home() / ".m2/repository/org"
    return [j for folder in ("junit", "opentest4j", "apiguardian", "jspecify")
            for j in (repository / folder).rglob("*.jar")
            if folder != "junit" or version in j.name]


def equivalent():
    """{unit: {(line, changed line)}} of mutants.txt."""
    known = {}
    for line in (HERE / "mutants.txt").read_text().split("\n"):
        if line.startswith("#") or not line.strip():
            continue
        if line.startswith("  "):
            continue  # the reason
        unit, before, after = line.split(" | ")
        known.setdefault(unit, set()).add((before, after))
    return known


def report(unit, found, verdicts, known, complete):
    """Prints what is to be done about a unit and a summary; returns how much is to be done."""
    made = [(mutant, how) for mutant, how in zip(found, verdicts) if how != "does not compile"]
    missed = [mutant for mutant, how in made if not how]
    unexplained = [m for m in missed if (m[1], m[2]) not in known]
    needless = known - {(m[1], m[2]) for m in missed} if complete else set()
    for number, before, after, _ in unexplained:
        print(f"NOT NOTICED {unit}:{number}\n{unit} | {before} | {after}")
    for before, after in sorted(needless):
        print(f"LISTED WITHOUT NEED\n{unit} | {before} | {after}")
    counts = [f"{sum(h == how for _, h in made)} {name}"
              for name, how in (("fail", "fails"), ("crash", "crashes"), ("hang", "hangs"))]
    print(f"{unit}: {len(made)} mutants: {', '.join(counts)}; "
          f"{len(missed) - len(unexplained)} argued equivalent, {len(unexplained)} not noticed",
          flush=True)
    return len(unexplained) + len(needless)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("units", nargs="*")
    parser.add_argument("--list", action="store_true")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--most", type=int, default=1000, help="mutants of a unit")
    parser.add_argument("--line", type=int, action="append", help="only those of this line")
    parser.add_argument("--java", default=os.environ.get("JAVA_HOME", "/usr") + "/bin/java")
    options = parser.parse_args()
    known = equivalent()
    todo = 0
    with tempfile.TemporaryDirectory() as folder, \
            concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        bench = None if options.list else Bench(pathlib.Path(folder), options.java)
        for unit in options.units or UNITS:
            everything = list(mutants(unit, (HERE / unit).read_text()))
            asked = [m for m in everything if not options.line or m[0] in options.line]
            found = thinned(asked, options.most)
            if options.list:
                for number, before, after, _ in found:
                    print(f"{unit}:{number} | {before} | {after}")
                continue
            bench.check_clean(unit)
            verdicts = list(pool.map(lambda m: bench.verdict(unit, m[3]), found))
            todo += report(unit, found, verdicts, known.get(unit, set()), found == everything)
    sys.exit(1 if todo else 0)


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
"""Breaks the kernels on purpose, one place at a time, and sees whether their tests notice.

mutants.py [UNIT...] [--list] [--jobs N]: for each unit (a source or header of this folder; all
without arguments) makes its mutants: a barrier or a wait dropped, a wait one group short, a predicate
dropped, a bound or an index off by one, minimum for maximum. Each is compiled into an emulated
library of its own and given to the unit's tests. A mutant that no test fails on must be listed in
mutants.txt with the reason why it computes the same; any other is printed, and the exit status is 1.

The tree must be built first: the tests are run from target/test-classes of platform/testkit.
"""
import argparse
import concurrent.futures
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
OBJECTS = ROOT / "kernels/target/emulated/objects"
FLAGS = ("-std=c++20 -O1 -fPIC -fvisibility=hidden -ffp-contract=off -fno-strict-aliasing "
         "-Wno-unknown-pragmas -mfma -mf16c").split()
SECONDS = 240  # a test that takes longer hangs

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
    "multiply_mma.cu": (["multiply_mma"], ["MultiplyMmaKernelTest"]),
    "multiply_packed.cu": (["multiply_packed"], ["MultiplyPackedKernelTest"]),
    "norm.cu": (["norm"], ["NormKernelTest"]),
    "numbers.cuh": (["append", "attend"], ["AppendKernelTest", "AttendKernelTest"]),
    "packed_codes.cuh": (["multiply_packed"], ["MultiplyPackedKernelTest"]),
    "prefill.cu": (["prefill"], ["PrefillKernelTest"]),
    "primitives.cuh": (["norm", "attend"], ["NormKernelTest", "AttendKernelTest"]),
    "quantise.cu": (["quantise"], ["QuantiseKernelTest"]),
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
    (r"blockIdx\.x", ["(blockIdx.x ^ 1)"]),
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


def mutants(unit):
    text = (HERE / unit).read_text()
    lines = text.split("\n")
    seen = set()
    for number, line in code_lines(text):
        code = line.split("//")[0]
        for pattern, replacements in OPERATORS:
            for match in re.finditer(pattern, code):
                for replacement in replacements:
                    if match.group(0) == f"if ({'true' if 'true' in replacement else 'false'})":
                        continue
                    changed = line[:match.start()] + replacement + line[match.end():]
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


def classpath():
    version = re.search(r"<v.junit>(.*?)<", (ROOT / "pom.xml").read_text()).group(1)
    repository = pathlib.Path.home() / ".m2/repository/org"
    jars = [j for folder in ("junit", "opentest4j", "apiguardian", "jspecify")
            for j in (repository / folder).rglob("*.jar")
            if folder != "junit" or version in j.name]
    folders = [ROOT / "platform/testkit/target/test-classes"]
    folders += [ROOT / "platform" / m / "target/classes" for m in ("testkit", "engine", "spi")]
    return ":".join(map(str, folders + jars))


def verdict(unit, text, java):
    """How the tests notice a mutant; empty if they do not."""
    sources, tests = UNITS[unit]
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        copy = folder / "cuda"
        shutil.copytree(HERE, copy)
        (copy / unit).write_text(text)
        objects = {o.stem: o for o in OBJECTS.glob("*.o")}
        for source in sources:
            objects[source] = folder / f"{source}.o"
            done = subprocess.run(["c++", *FLAGS, "-x", "c++", "-c", copy / f"{source}.cu",
                                   "-o", objects[source]], capture_output=True)
            if done.returncode:
                return "does not compile"
        library = folder / "mutant.so"
        subprocess.run(["c++", "-shared", "-o", library, *objects.values()], check=True)
        try:
            done = subprocess.run(
                [java, "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Xmx512m",
                 "-XX:-CreateCoredumpOnCrash", f"-XX:ErrorFile={folder}/error",
                 "--enable-native-access=ALL-UNNAMED", f"-Dmillrace.cuda.emulated={library}",
                 "-cp", classpath(), "dev.millrace.testkit.cuda.KernelTestRun", *tests],
                capture_output=True, text=True, timeout=SECONDS)
        except subprocess.TimeoutExpired:
            return "hangs"
        if done.returncode == 0:
            return ""
        return "fails" if done.returncode == 1 else "crashes"


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


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("units", nargs="*")
    parser.add_argument("--list", action="store_true")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--most", type=int, default=14, help="mutants of a unit")
    parser.add_argument("--java", default="java")
    options = parser.parse_args()
    known = equivalent()
    missed = 0
    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        for unit in options.units or UNITS:
            found = thinned(list(mutants(unit)), options.most)
            if options.list:
                for number, before, after, _ in found:
                    print(f"{unit}:{number} | {before} | {after}")
                continue
            verdicts = list(pool.map(lambda m: verdict(unit, m[3], options.java), found))
            counts = {v: verdicts.count(v) for v in set(verdicts)}
            argued = 0
            for (number, before, after, _), how in zip(found, verdicts):
                if how:
                    continue
                if (before, after) in known.get(unit, ()):
                    argued += 1
                else:
                    missed += 1
                    print(f"NOT NOTICED {unit}:{number}\n{unit} | {before} | {after}")
            summary = ", ".join(f"{n} {v or 'not noticed'}" for v, n in sorted(counts.items()))
            print(f"{unit}: {len(found)} mutants: {summary}; {argued} argued equivalent", flush=True)
    sys.exit(1 if missed else 0)


if __name__ == "__main__":
    main()

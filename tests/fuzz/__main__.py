"""Coverage-guided fuzzing: ``python -m tests.fuzz [--seconds N] [--seed K] [--rounds R] [TARGET…]``; prints a table.

Needs atheris (``pip install atheris``). Each target runs in a process of its own; an input that breaks a promise is
kept in ``out/fuzz/`` and belongs, once mended, into ``tests/fuzz/crashers`` under a name that says what it was.
"""

from __future__ import annotations

import argparse
import importlib.util
import os
import re
import resource
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

import toolkit

SLOWEST = 20
"""CPU seconds that one input may take."""

HANGS = 1800
"""Seconds by the clock after which an input hangs: many, for a machine that others use too."""

LARGEST = 3000
"""Megabytes that a process may take, the libraries' own included."""

PACKAGE = Path(toolkit.__file__).parent


def kernels() -> list[str]:
    """Return the modules with kernels, which numba could not compile once atheris has marked them."""
    paths = [path for path in PACKAGE.rglob("*.py") if "njit" in path.read_text("utf-8")]
    names = [".".join(path.relative_to(PACKAGE.parent).with_suffix("").parts) for path in paths]
    return [name.removesuffix(".__init__") for name in names]


def one(name: str, corpus: str, seconds: int, options: list[str]) -> None:
    """Fuzz one target in this process for some seconds of CPU, its preparation not counted; never returns."""
    import atheris

    plain = os.environ.get("NUMBA_DISABLE_JIT") == "1"
    with atheris.instrument_imports(include=["toolkit"], exclude=[] if plain else kernels()):
        from tests.fuzz import targets as module
    target = module.targets()[name]
    for number, seed in enumerate(target.seeds()):
        Path(corpus, f"seed-{number}").write_bytes(seed)
    target.check(b"")  # compiles the kernels, for which no input is to blame
    end = time.process_time() + seconds

    def check(data: bytes) -> None:
        start = time.process_time()
        target.check(data)
        now = time.process_time()
        assert now - start < SLOWEST, f"{now - start:.0f} seconds of CPU for {len(data)} bytes"
        if now > end:
            os.kill(os.getpid(), signal.SIGUSR1)  # libFuzzer then prints its figures and ends

    atheris.Setup([sys.argv[0], corpus, *options], check)
    atheris.Fuzz()


def main() -> int:
    """Fuzz targets one after the other; the exit code says whether a promise broke."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("targets", nargs="*", metavar="TARGET", help="default all")
    parser.add_argument("--seconds", type=int, default=60, help="of CPU, of each target")
    parser.add_argument("--seed", type=int, default=1, help="of the changes tried; others with each seed")
    parser.add_argument("--rounds", type=int, default=1, help="over all targets, each with the next seed")
    parser.add_argument("--alone", metavar="CORPUS", help=argparse.SUPPRESS)
    chosen, options = parser.parse_known_args()
    if importlib.util.find_spec("atheris") is None:
        print("tests.fuzz: atheris is not installed; pip install atheris", file=sys.stderr)
        return 2
    if chosen.alone:
        one(chosen.targets[0], chosen.alone, chosen.seconds, options)
    from tests.fuzz.targets import targets

    known = targets()
    names = chosen.targets or list(known)
    unknown = [name for name in names if name not in known]
    if unknown:
        print(f"tests.fuzz: no target {unknown[0]!r}; there are {', '.join(known)}", file=sys.stderr)
        return 2
    out = Path("out", "fuzz")
    out.mkdir(parents=True, exist_ok=True)
    total = Counter[str]()
    print("target           seed   inputs  edges   CPU s  result", flush=True)
    for seed in range(chosen.seed, chosen.seed + chosen.rounds):
        for name in names:
            total.update(fuzzed(name, known[name].plain_python, seed, chosen.seconds, out))
    seeds = f"seeds {chosen.seed} to {chosen.seed + chosen.rounds - 1}"
    print(
        f"{total['inputs']:,} inputs, {total['CPU seconds'] / 60:.1f} CPU minutes, {len(names)} targets, {seeds}, "
        f"{total['broken']} broken"
    )
    return 1 if total["broken"] else 0


def fuzzed(name: str, plain_python: bool, seed: int, seconds: int, out: Path) -> dict[str, float]:
    """Fuzz a target in a process of its own, print a row; return the inputs, the CPU seconds, and 1 if it broke."""
    environment = os.environ | {
        "NUMBA_DISABLE_JIT": "1" if plain_python else "0",
        "NUMBA_BOUNDSCHECK": "1",
        "NUMBA_CACHE_DIR": str(Path(tempfile.gettempdir(), "fuzz-kernels")),
        "PYTHONWARNINGS": "ignore",
    }
    before = spent()
    with tempfile.TemporaryDirectory(prefix="fuzz-corpus-") as corpus:
        done = subprocess.run(
            [
                sys.executable, "-m", "tests.fuzz", name, "--alone", corpus, "--seconds", str(seconds),
                f"-timeout={HANGS}", f"-rss_limit_mb={LARGEST}", f"-artifact_prefix={out}/{name}-",
                f"-seed={seed}", "-max_len=20000", "-print_final_stats=1", "-len_control=20",
            ],
            capture_output=True, text=True, errors="replace", check=False, env=environment,
        )  # fmt: skip
    inputs, edges = (
        int((re.findall(pattern, done.stderr) or [0])[-1])
        for pattern in (r"number_of_executed_units:\s*(\d+)", r"cov: (\d+)")
    )
    kept = re.findall(r"Test unit written to (\S+)", done.stderr)
    result = "held" if not done.returncode else f"BROKEN {kept[-1] if kept else done.stderr[-2000:]}"
    if done.returncode:
        (out / f"{name}.log").write_text(done.stderr, "utf-8")
    cpu = spent() - before
    print(f"{name:16}{seed:5}{inputs:9,}{edges:7,}{cpu:8.0f}  {result}", flush=True)
    return {"inputs": inputs, "CPU seconds": cpu, "broken": bool(done.returncode)}


def spent() -> float:
    """CPU seconds of the processes that have ended."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


if __name__ == "__main__":
    sys.exit(main())

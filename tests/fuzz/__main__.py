"""Coverage-guided fuzzing: ``python -m tests.fuzz [--seconds N] [--seed K] [TARGET…]``; a table of what was tried.

Needs atheris (``pip install atheris``). Each target runs in a process of its own; an input that breaks a promise is
kept in ``out/fuzz/`` and belongs, once mended, into ``tests/fuzz/crashers`` under a name that says what it was.
"""

from __future__ import annotations

import argparse
import importlib.util
import os
import re
import resource
import subprocess
import sys
import tempfile
from pathlib import Path

import toolkit

SLOWEST = 20
"""Seconds that one input may take."""

LARGEST = 3000
"""Megabytes that a process may take, the libraries' own included."""

PACKAGE = Path(toolkit.__file__).parent


def kernels() -> list[str]:
    """Return the modules with kernels, which numba could not compile once atheris has marked them."""
    paths = [path for path in PACKAGE.rglob("*.py") if "njit" in path.read_text("utf-8")]
    return [".".join(path.relative_to(PACKAGE.parent).with_suffix("").parts) for path in paths]


def one(name: str, corpus: str, options: list[str]) -> None:
    """Fuzz one target in this process; never returns."""
    import atheris

    plain = os.environ.get("NUMBA_DISABLE_JIT") == "1"
    with atheris.instrument_imports(include=["toolkit"], exclude=[] if plain else kernels()):
        from tests.fuzz import targets as module
    target = module.targets()[name]
    for number, seed in enumerate(target.seeds()):
        Path(corpus, f"seed-{number}").write_bytes(seed)
    atheris.Setup([sys.argv[0], corpus, *options], target.check)
    atheris.Fuzz()


def main() -> int:
    """Fuzz targets one after the other; the exit code says whether a promise broke."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("targets", nargs="*", metavar="TARGET", help="default all")
    parser.add_argument("--seconds", type=int, default=60, help="of each target")
    parser.add_argument("--seed", type=int, default=1, help="of the changes tried; others with each seed")
    parser.add_argument("--alone", metavar="CORPUS", help=argparse.SUPPRESS)
    chosen, options = parser.parse_known_args()
    if importlib.util.find_spec("atheris") is None:
        print("tests.fuzz: atheris is not installed; pip install atheris", file=sys.stderr)
        return 2
    if chosen.alone:
        one(chosen.targets[0], chosen.alone, options)
    from tests.fuzz.targets import targets

    known = targets()
    names = chosen.targets or list(known)
    unknown = [name for name in names if name not in known]
    if unknown:
        print(f"tests.fuzz: no target {unknown[0]!r}; there are {', '.join(known)}", file=sys.stderr)
        return 2
    out = Path("out", "fuzz")
    out.mkdir(parents=True, exist_ok=True)
    broken = 0
    print("target            inputs  edges   CPU s  result", flush=True)
    spent = 0.0
    for name in names:
        environment = os.environ | {
            "NUMBA_DISABLE_JIT": "1" if known[name].plain_python else "0",
            "NUMBA_BOUNDSCHECK": "1",
            "NUMBA_CACHE_DIR": str(Path(tempfile.gettempdir(), "fuzz-kernels")),
            "PYTHONWARNINGS": "ignore",
        }
        with tempfile.TemporaryDirectory(prefix="fuzz-corpus-") as corpus:
            done = subprocess.run(
                [
                    sys.executable, "-m", "tests.fuzz", name, "--alone", corpus, f"-max_total_time={chosen.seconds}",
                    f"-timeout={SLOWEST}", f"-rss_limit_mb={LARGEST}", f"-artifact_prefix={out}/{name}-",
                    f"-seed={chosen.seed}", "-max_len=20000", "-print_final_stats=1", "-len_control=20",
                ],
                capture_output=True, text=True, errors="replace", check=False, env=environment,
            )  # fmt: skip
        found = re.findall(r"number_of_executed_units:\s*(\d+)", done.stderr)
        edges = re.findall(r"cov: (\d+)", done.stderr)
        kept = re.findall(r"Test unit written to (\S+)", done.stderr)
        broken += bool(done.returncode)
        result = "held" if not done.returncode else f"BROKEN {kept[-1] if kept else done.stderr[-2000:]}"
        usage = resource.getrusage(resource.RUSAGE_CHILDREN)
        before, spent = spent, usage.ru_utime + usage.ru_stime
        numbers = (
            f"{int(found[-1]) if found else 0:8,}{int(edges[-1]) if edges else 0:7,}{spent - before:8.0f}"
        )
        print(f"{name:16}{numbers}  {result}", flush=True)
        if kept:
            (out / f"{name}.log").write_text(done.stderr, "utf-8")
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())

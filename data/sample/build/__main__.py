"""Build or check the sample corpus from the command line."""

from __future__ import annotations

import argparse
import sys

from data.sample.build.build import build
from data.sample.build.check import check
from toolkit.files import shipped


def main() -> int:
    """Build ``data/sample``, or with ``--check`` only compare it with its sources."""
    parser = argparse.ArgumentParser(prog="python -m data.sample.build", description=main.__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing, report counts and faults")
    folder = shipped("sample")
    if not parser.parse_args().check:
        for name, content in build(folder).items():
            (folder / name).parent.mkdir(exist_ok=True)
            (folder / name).write_bytes(content)
    report = check(folder)
    print(report)
    return 1 if report.faults else 0


if __name__ == "__main__":
    sys.exit(main())

"""The full list of IPTC Media Topics, cut to the levels that ship.

``python -m training.mediatopics SOURCE OUT`` writes ``data/taxonomy.json``.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any


def build(source: Path) -> dict[str, Any]:
    """Cut the full list of IPTC Media Topics down to the two levels that the toolkit ships.

    Parameters
    ----------
    source : Path
        ``taxonomy/iptc_mediatopics_2023-10-24.json`` of the data folder.

    Returns
    -------
    dict
        ``source``, ``version``, ``copyright``, ``licence``, ``changes`` and ``topics``, a list ordered by
        level and code; retired topics are left out.
    """
    full = json.loads(source.read_text(encoding="utf-8"))
    topics = [
        {
            "code": concept["qcode"].removeprefix("medtop:"),
            "level": concept["level"],
            "parent": concept["parent"] and concept["parent"].removeprefix("medtop:"),
            "definition": concept["definition_en"],
            "names": concept["names"],
        }
        for concept in full["concepts"]
        if concept["level"] <= 2 and not concept["retired"]
    ]
    return {
        "source": "IPTC Media Topics NewsCodes (https://iptc.org/standards/media-topics/), "
        f"by way of {full['source']}",
        "version": full["version"],
        "copyright": full["copyright"],
        "licence": "CC BY 4.0 (https://creativecommons.org/licenses/by/4.0/)",
        "changes": "Levels 1 and 2 only; fields renamed; texts unchanged.",
        "topics": sorted(topics, key=lambda topic: (topic["level"], topic["code"])),
    }


def main(arguments: list[str] | None = None) -> None:
    """Write ``taxonomy.json``: ``python -m training.mediatopics SOURCE OUT``."""
    parser = argparse.ArgumentParser(prog="python -m training.mediatopics", description=main.__doc__)
    parser.add_argument("source", type=Path, help="the full list, as iptc_mediatopics_*.json")
    parser.add_argument("out", type=Path, help="the file to write")
    chosen = parser.parse_args(arguments)
    text = json.dumps(build(chosen.source), ensure_ascii=False, indent=1)
    chosen.out.write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()

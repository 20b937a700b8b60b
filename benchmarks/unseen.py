"""Models that have not seen some publishers' pages: the shipped one learned from every page set."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Container, Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.extractors import publisher_of
from toolkit.datasets.store import SETTING, folder, records, write_records
from training.flattening import SETS


def write_without(publishers: Container[str | None], target: Path) -> None:
    """Write a data folder like the present one, but without the pages of some publishers.

    Only pages are copied; all else are links.
    """
    source = folder()
    pages = source / "pages"
    for path in source.iterdir():
        if path != pages:
            (target / path.name).symlink_to(path.resolve())
    for name in SETS:
        kept = (record for record in records(name) if publisher_of(record) not in publishers)
        write_records(target / "pages" / f"{name}.jsonl.gz", kept)


@contextmanager
def remover_without(publishers: Container[str | None], *, seed: int = 0) -> Iterator[None]:
    """Have every remover use a model trained anew without the pages of some publishers.

    Parameters
    ----------
    publishers : container of str
        As :func:`benchmarks.extractors.publisher_of` names them.
    seed : int, default 0
        Of the training, which takes minutes.
    """
    from toolkit.boilerplate.model import LOADED, shipped_model
    from training.boilerplate import train

    set_before = os.environ.get(SETTING)
    with tempfile.TemporaryDirectory() as target:
        write_without(publishers, Path(target))
        os.environ[SETTING] = target
        try:
            model = train(seed=seed)
        finally:
            if set_before is None:
                del os.environ[SETTING]
            else:
                os.environ[SETTING] = set_before
    shipped = shipped_model()
    LOADED["shipped"] = model
    try:
        yield
    finally:
        LOADED["shipped"] = shipped

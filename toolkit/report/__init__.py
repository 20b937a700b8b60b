"""Report: run a notebook on a folder of results, and turn it into one HTML file of numbered tables and figures."""

from __future__ import annotations

import asyncio
import json
import os
import re
import subprocess
import sys
from importlib import resources
from pathlib import Path
from threading import Event, Thread
from typing import Any

from toolkit.errors import OutputError, ReportError
from toolkit.files import whole
from toolkit.record import amend, intact
from toolkit.report.results import TABLES, Results

__all__ = ["TABLES", "Results", "blank", "check_page", "finished", "render"]


def finished(folder: str | Path) -> bool:
    """Whether ``folder`` holds the results of a finished run."""
    return Path(folder, "run.json").is_file()


def check_page(page: Path) -> None:
    """Refuse, before the work begins, a page whose name does not end in ``.html``."""
    if page.suffix.lower() != ".html":
        raise OutputError(f"{page}: a report is an HTML file; name it {page.with_suffix('.html').name}")


def blank() -> Any:
    """Return the report's notebook before it is run: ``page.md``, each block of code a cell named by its label."""
    from nbformat import v4

    cells = []
    for number, part in enumerate(re.split(r"^```", _written("page.md"), flags=re.MULTILINE)):
        if part.startswith("python "):
            name, code = part.removeprefix("python ").split("\n", 1)
            tags = {"tags": [name]} if name == "parameters" else {}
            cells.append(v4.new_code_cell(code.strip(), id=name, metadata=tags))
        elif part.strip():
            cells.append(v4.new_markdown_cell(part.strip(), id=f"text-{number}"))
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    return v4.new_notebook(cells=cells, metadata={"kernelspec": kernel, "language_info": {"name": "python"}})


def _written(name: str) -> str:
    return resources.files("toolkit.report").joinpath(name).read_text("utf-8")


def _execute(runner: Any, **kernel: Any) -> None:
    """Run the notebook on a thread of its own: on the main one, nbclient would take the signals that stop a command."""
    failures: list[BaseException] = []
    ended = Event()  # of a thread whose join a signal interrupted, Python 3.11 says that it ended

    def work() -> None:
        try:
            asyncio.run(runner.async_execute(**kernel))
        except BaseException as error:
            failures.append(error)
        finally:
            ended.set()

    thread = Thread(target=work, daemon=True)
    try:
        thread.start()
        while not ended.wait(0.5):  # no longer at a time: on Windows no signal is heard meanwhile
            pass
    except BaseException:
        # the thread ends with its kernel, which may yet start
        while thread.ident is not None and not ended.wait(0.1):
            process = runner.km and getattr(runner.km.provisioner, "process", None)
            if process:
                process.kill()
        raise
    for failure in failures:
        raise failure


def _given(folder: Path, **values: Any) -> Any:
    from nbformat import v4

    lines = [f"{name} = {_quoted(value)}" for name, value in {"folder": folder.as_posix(), **values}.items()]
    tags = {"tags": ["injected-parameters"]}
    return v4.new_code_cell("\n".join(["# Parameters", *lines]), id="injected-parameters", metadata=tags)


def _quoted(value: Any) -> str:
    if isinstance(value, bool):
        return repr(value)
    return json.dumps(value, ensure_ascii=False).encode("utf-8", "backslashreplace").decode()


def render(
    folder: str | Path, page: str | Path | None = None, *, texts: bool = True, title: str = "", author: str = "",
    progress: bool = False,
) -> Path:  # fmt: skip
    """Run the report's notebook on a folder of results; return the page that it makes, one HTML file without scripts.

    The notebook runs in an empty folder of its own, so nothing in a folder of results is imported or executed. It is
    written beside ``page`` (default ``report.html`` in the folder) with the ending ``.ipynb``, so that you can continue
    from it; one that you have edited is kept under another name. The tables are in ``report_tables``, as CSV and LaTeX.
    Without ``texts`` of articles, the page can be given to people who may not have them. ``title`` and ``author`` stand
    on top; ``progress`` shows a bar on standard error.

    A ReportError says that the extra ``lab`` is not installed, that the folder holds no finished run, or that the
    notebook failed.
    """
    intact(folder)
    # jsonschema, which nbformat imports, would compile a grammar of addresses for a second; none is checked
    modules: dict[str, Any] = sys.modules
    modules.setdefault("rfc3987_syntax", None)
    try:
        import nbformat
        from nbclient import NotebookClient
        from nbclient.exceptions import CellExecutionError
        from nbconvert import HTMLExporter
        from nbformat import v4
    except ImportError as error:
        msg = f"no report: {error.name} is not installed; pip install 'news-toolkit[lab]'"
        raise ReportError(msg) from None
    finally:
        if modules["rfc3987_syntax"] is None:
            del modules["rfc3987_syntax"]
    from tqdm import tqdm

    from toolkit.notebook import KERNEL, SEAL, digest_of_cells, isolated, keep_edited, normalise

    folder = Path(folder)
    page = folder / "report.html" if page is None else Path(page)
    check_page(page)
    page.parent.mkdir(parents=True, exist_ok=True)
    book = blank()
    values = {"texts": texts, "title": title or "Results", "author": author}
    given = _given(folder.absolute(), **values)
    book.cells.insert(1 + [cell.id for cell in book.cells].index("parameters"), given)
    tables = page.with_name(f"{page.stem}_tables")
    # all reading and counting is done by the kernel: this process may hold the memory of a run
    book.cells.append(v4.new_code_cell(f"results.save_tables({_quoted(tables.absolute().as_posix())})"))
    try:
        bar = {"total": sum(cell.cell_type == "code" for cell in book.cells), "disable": not progress}
        with isolated() as place, tqdm(desc="report", unit=" parts", file=sys.stderr, **bar) as done:
            runner = NotebookClient(
                book, kernel_name="python3", timeout=None, startup_timeout=600, extra_arguments=KERNEL,
                record_timing=False, store_widget_state=False, on_cell_executed=lambda **_: done.update(),
            )  # fmt: skip
            # a kernel that ends may complain of its sockets
            _execute(runner, **place, stderr=subprocess.DEVNULL)
    except (CellExecutionError, RuntimeError) as error:  # a dead kernel is the latter
        reason = getattr(error, "evalue", None) or str(error)
        raise ReportError(
            f"no report: its notebook stopped ({reason}); the results are whole, "
            f"`news-toolkit report {folder}` tries again"
        ) from error
    del book.cells[-1]
    given.source = _given(Path(os.path.relpath(folder, page.parent)), **values).source
    keep_edited(page.with_suffix(".ipynb"))
    normalise(book)
    book.metadata[SEAL] = digest_of_cells(book)
    with whole(page.with_suffix(".ipynb")) as written:
        nbformat.write(book, written)
    exporter = HTMLExporter(
        raw_template=_written("page.html.j2"), exclude_input=True, exclude_input_prompt=True,
        exclude_output_prompt=True, anchor_link_text="",
        extra_template_basedirs=[],  # by default it would take templates from the current folder
    )  # fmt: skip
    html, _ = exporter.from_notebook_node(book, {"metadata": {"name": "News report"}})
    with whole(page) as temporary:
        temporary.write_text(html, "utf-8")
    if page.parent.resolve() == folder.resolve():
        written_files = [page, page.with_suffix(".ipynb"), *sorted(tables.iterdir())]
        amend(page.parent, written_files, environment={"report": values})
    return page

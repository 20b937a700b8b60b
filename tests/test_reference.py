import inspect
import re

import toolkit
from docs.tools import reference


def test_the_pages_are_what_the_docstrings_say_now():
    old = reference.outdated(reference.FOLDER)
    assert not old, f"{old} out of date; run python -m docs.tools.reference"


def test_every_public_name_has_its_entry_and_every_entry_its_text():
    text = "\n".join(reference.pages().values())
    for name in toolkit.__all__:
        if not inspect.ismodule(getattr(toolkit, name)):
            assert re.search(rf"^### `{name}[(`]", text, re.MULTILINE), name
    assert not re.findall(r"^#+ `[^\n]+\n+(?=#|\Z)", text, re.MULTILINE)


def test_no_page_names_a_machine_or_an_address_of_memory():
    for text in reference.pages().values():
        assert not re.search(r"0x[0-9a-f]{4,}|/home/|/work/|/root/|<function|<class", text)


def test_every_fence_is_closed_and_code_stands_in_one():
    for name, text in reference.pages().items():
        inside = False
        for line in text.splitlines():
            if line.startswith("```"):
                inside = not inside
            assert inside or not line.startswith(">>> "), (name, line)
        assert not inside, name


def test_a_docstring_becomes_markdown():
    text = inspect.cleandoc(
        """Say :func:`~toolkit.load` and ``text``.

        Parameters
        ----------
        rows : int, default 3
            How many,
            at most.

        Examples
        --------
        >>> 1 + 1
        2

        After it.
        """
    )
    assert reference._prose(text).splitlines() == [
        "Say `toolkit.load` and `text`.",
        "",
        "**Parameters**",
        "",
        "- `rows : int, default 3`",
        "  How many,",
        "  at most.",
        "",
        "**Examples**",
        "",
        "```python",
        ">>> 1 + 1",
        "2",
        "```",
        "",
        "After it.",
    ]


def test_the_command_writes_all_pages_and_names_old_ones(tmp_path, capsys):
    folder = tmp_path / "api"
    assert reference.main(["--folder", str(folder)]) == 0
    assert reference.main(["--folder", str(folder), "--check"]) == 0
    (folder / "topics.md").write_text("old")
    (folder / "gone.md").write_text("of a module that is no more")
    assert reference.main(["--folder", str(folder), "--check"]) == 1
    told = capsys.readouterr().err.splitlines()
    assert [line.split(": ")[0] for line in told] == [str(folder / n) for n in ("gone.md", "topics.md")]
    reference.main(["--folder", str(folder)])
    assert not reference.outdated(folder)

"""Files of office programs: Word and RTF as text, Excel as a table."""

from __future__ import annotations

import codecs
import contextlib
import io
import re
import zipfile
from collections.abc import Iterator, Mapping
from typing import IO, Any

from toolkit import fields
from toolkit.loading.delimited import ABOVE, columns_of, header_at, header_fault
from toolkit.loading.mapping import Rows
from toolkit.loading.markup import elements, first, local
from toolkit.loading.quarantine import PART, Unreadable, printable
from toolkit.loading.readers.driver import ROWS_OF_COLUMNS, Archive
from toolkit.loading.readers.texts import parts_of
from toolkit.loading.streams import DAMAGE, Stream

_WORD = re.compile(
    r"\\(?:'(?P<hex>[0-9a-fA-F]{2})|(?P<word>[a-zA-Z]{1,32})(?P<number>-?\d{1,10})? ?|(?P<sign>[^a-zA-Z]))"
    r"|(?P<brace>[{}])|[\r\n]+|(?P<text>[^\\{}\r\n]+)",
    re.S,
)
_SIGNS = {
    "par": "\n", "line": "\n", "sect": "\n", "page": "\f", "row": "\n", "cell": "\t", "tab": "\t", "emdash": "—",
    "endash": "–", "lquote": "‘", "rquote": "’", "ldblquote": "“", "rdblquote": "”", "bullet": "•", "emspace": " ",
    "enspace": " ", "~": "\xa0", "_": "-", "{": "{", "}": "}", "\\": "\\", "\n": "\n", "\r": "\n",
}  # fmt: skip
_HIDDEN = frozenset(
    "fonttbl colortbl stylesheet info pict object header headerl headerr headerf footer footerl footerr footerf "
    "footnote annotation fldinst listtable listoverridetable revtbl rsidtbl generator themedata latentstyles "
    "datastore xmlnstbl filetbl bkmkstart bkmkend".split()
)
_DEEPEST = 500


def as_text(stream: Stream, form: str) -> Stream:
    """Return the text of a Word or RTF file, a paragraph a line, as UTF-8; :class:`Unreadable` if it is damaged.

    Page breaks, and headings of the rank of the first line, become form feeds where they divide articles.
    """
    text = rtf_text(stream.read_all("RTF file")) if form == "rtf" else _word_text(stream)
    if not text.strip():
        raise Unreadable("no text in this office file")
    if parts_of(text) == ([text], None):
        text = text.replace("\f", "\n")
    return Stream(io.BytesIO(text.encode("utf-8", "replace")).read, stream.budget)


def rtf_text(data: bytes) -> str:
    r"""Return the text of RTF (Microsoft's specification 1.9.1) without fonts, styles, pictures, headers and code."""
    found: list[str] = []
    page, skip, hidden, fallback = "cp1252", 0, False, 1
    stack: list[tuple[bool, int]] = []
    pending = bytearray()

    def flush() -> None:
        if pending:
            found.append(pending.decode(page, "replace"))
            pending.clear()

    for token in _WORD.finditer(data.decode("latin-1")):
        kind, value = token.lastgroup, token.group()
        if kind == "hex":
            if skip:
                skip -= 1
            elif not hidden:
                pending.append(int(token["hex"], 16))
            continue
        flush()
        word, number = token["word"], token["number"]
        if value == "{" and len(stack) < _DEEPEST:
            stack.append((hidden, fallback))
        elif value == "}":
            hidden, fallback = stack.pop() if stack else (hidden, fallback)
        elif word in _HIDDEN or value == "\\*":
            hidden = True
        elif word == "ansicpg":
            with contextlib.suppress(LookupError):
                page = codecs.lookup(f"cp{number}").name
        elif word == "uc":
            fallback = int(number or 1)
        elif hidden:
            continue
        elif word == "u" and number:
            found.append(chr(int(number) % 65536))
            skip = min(fallback, 8)
        elif word or token["sign"]:
            found.append(_SIGNS.get(word or token["sign"], ""))
        elif kind == "text":
            found.append(value[skip:].encode("latin-1").decode(page, "replace"))
            skip = max(skip - len(value), 0)
    flush()
    # halves of a pair of \\u codes become one character
    return "".join(found).encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _parts(stream: Stream) -> tuple[IO[bytes], zipfile.ZipFile]:
    """Return an office file and its archive, after its parts have been unpacked once within the limits."""
    file = stream.as_file()
    try:
        archive = zipfile.ZipFile(file)
        for info in archive.infolist():
            stream.budget.count_member()
            size = 0
            with archive.open(info) as part:
                while piece := part.read(1 << 18):
                    size += len(piece)
                    stream.budget.spend(len(piece))
                    if size > stream.budget.limits.record_bytes:
                        raise stream.budget.too_large(info.filename)
    except DAMAGE as error:
        raise Unreadable(f"damaged, truncated or encrypted office file: {error}") from None
    file.seek(0)
    return file, archive


def _word_text(stream: Stream) -> str:
    _, archive = _parts(stream)

    def within(part: str, name: str) -> Iterator[Any]:
        return elements(Stream(archive.open(part).read, stream.budget), frozenset({name}))

    lines: list[str] = []
    rank = ""  # of the heading that the document begins with
    try:
        styles = within("word/styles.xml", "style") if "word/styles.xml" in archive.namelist() else ()
        names = {style.get("styleId", ""): (first(style, "name/@val") or "").lower() for style in styles}
        ranks = {key: name for key, name in names.items() if name.startswith(("heading", "title"))}
        for paragraph in within("word/document.xml", "p"):
            if any(local(around) == "fallback" for around in paragraph.iterancestors()):
                continue
            # the text of a box once more, for old programs; text that was moved, where it was taken from
            for copy in paragraph.iter("fallback", "movefrom"):
                copy.clear()
            # the text of boxes follows the paragraph that they hang on; inner ones are taken out first
            boxes: list[str] = []
            for box in reversed([*paragraph.iter("txbxcontent")]):
                boxes[:0] = ["".join(_run(each)) for each in box.iter("p")]
                box.clear()
            own = "".join(_run(paragraph))
            text = "\n".join([own, *boxes] if own.strip() else boxes or [own])
            style = ranks.get(first(paragraph, ".//pstyle/@val") or "", "")
            divides = rank and style == rank and text.strip()
            if text.strip() and not any(map(str.strip, lines)):
                rank = style
            elif divides or paragraph.find(".//pagebreakbefore") is not None:
                text = "\f" + text
            lines.append(text)
    except DAMAGE as error:
        raise Unreadable(f"damaged or truncated Word document: {error}") from None
    return "\n".join(lines)


def _run(paragraph: Any) -> Iterator[str]:
    for element in paragraph.iter("t", "tab", "br", "cr", "nobreakhyphen"):
        if element.tag == "t":
            yield element.text or ""
        elif element.get("type") == "page":
            yield "\f"
        elif element.tag != "tab" or element.getparent().tag == "r":
            yield {"tab": "\t", "nobreakhyphen": "-"}.get(element.tag, "\n")


def excel(archive: Archive) -> Iterator[Rows]:
    """Excel workbooks (.xlsx), each sheet a table whose first row names the columns."""
    try:
        from python_calamine import CalamineError, CalamineWorkbook
    except ImportError:
        raise Unreadable("Excel needs python-calamine: pip install 'news-toolkit[formats]'") from None

    columns = archive.options.columns
    file, _ = _parts(archive.stream)
    try:
        book = CalamineWorkbook.from_filelike(file)
        sheets = {name: book.get_sheet_by_name(name) for name in book.sheet_names}
        headers = {name: _header(sheet.to_python(nrows=ABOVE), columns) for name, sheet in sheets.items()}
        have_text = [name for name in headers if fields.candidates("text", headers[name][1], columns)]
        for name, (at, header) in headers.items():
            reason = header_fault(header)
            place = f"sheet {printable(name, 40)!r}"
            if reason:
                reason = f"{place}: {reason}"
            elif have_text and name not in have_text:
                reason = f"{PART}: {place} has no text column, another sheet has; not read"
            if reason and header:
                archive.remarks.append(Unreadable(reason, " | ".join(header)))
                continue
            rows = [row for row in sheets[name].to_python()[at + 1 :] if any(cell != "" for cell in row)]
            for first in range(0, len(rows), ROWS_OF_COLUMNS):
                part = [[_cell(cell) for cell in row] for row in rows[first : first + ROWS_OF_COLUMNS]]
                yield columns_of(header, part, columns)
    except CalamineError as error:
        raise Unreadable(f"damaged Excel workbook: {error}") from None


def _header(rows: list[list[Any]], columns: Mapping[str, str]) -> tuple[int, list[str]]:
    """Return the row that names the columns, and where it stands: lines of a title may stand above it."""
    named = [(at, [str(cell).strip() for cell in row]) for at, row in enumerate(rows)]
    named = [(at, names) for at, names in named if any(names)]
    return named[header_at([names for _, names in named], columns)] if named else (0, [])


def _cell(value: Any) -> Any:
    """Return a cell's value: nothing for a blank one, whole numbers without '.0'."""
    if value == "":
        return None
    return int(value) if isinstance(value, float) and value.is_integer() else value

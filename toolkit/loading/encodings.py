"""Which encoding a text is in, and streams of it as UTF-8."""

from __future__ import annotations

import codecs
import contextlib
import re
import unicodedata

import pyarrow as pa

from toolkit.loading.quarantine import Unreadable
from toolkit.loading.streams import CHUNK, Stream

SAMPLE = 1 << 18  # bytes looked at to decide an encoding

_BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)

_LOOK = 4096  # bytes looked at for zeros

# charset_normalizer cannot tell the Latin code pages apart on news-length samples: French in
# Windows-1252 comes back as cp1250, English curly quotes as cp852. Of these the web uses Windows-1252.
_LATIN = re.compile(r"(ascii|latin_1|cp125[0247]|cp437|cp500|cp8[56]\d|cp037|iso8859_\d+|mac_(?!cyr|gre).*)$")
_NOT_LATIN = {"iso8859_5", "iso8859_6", "iso8859_7", "iso8859_8", "cp855", "cp862", "cp864", "cp866", "cp869"}
_WIDE = ["utf_16", "utf_16_be", "utf_16_le", "utf_32", "utf_32_be", "utf_32_le", "utf_7"]
_NOT_ASCII = bytes(range(128, 256))
_CONTROL = bytes(set(range(32)) - set(b"\t\n\r\f\v\b\x1b"))


def unicode_form(start: bytes) -> str | None:
    """Return the codec that a byte order mark names, or that zero bytes show where there is none; or None."""
    return next((name for mark, name in _BOMS if start.startswith(mark)), unmarked(start))


def unmarked(start: bytes) -> str | None:
    """Return which UTF-16 or UTF-32 a text without a byte order mark is in, or None.

    Each ASCII character, and every text has some, gives zero bytes; nearly all else gives no characters if read so.
    """
    start = start[: min(len(start), _LOOK) & ~3]
    zeros = start.count(0)
    ascii_else = start.isascii() and len(start.translate(None, _CONTROL)) == len(start) - zeros
    few = not zeros or zeros * (2.5 if ascii_else else 50) < len(start)
    if few or any(start.startswith(mark) for mark, _ in _BOMS):
        return None
    for name in ("utf-32-le", "utf-32-be", "utf-16-le", "utf-16-be"):
        with contextlib.suppress(UnicodeDecodeError):
            text = codecs.getincrementaldecoder(name)().decode(start)
            kinds = {unicodedata.category(character) for character in set(text) - {*"\t\n\r\f"}}
            ascii_read = "32" in name or 2 * sum(map(str.isascii, text)) >= zeros
            if ascii_read and not kinds & {"Cc", "Cn", "Co"}:
                return name
    return None


def looks_binary(start: bytes) -> bool:
    """Whether more than a few bytes, and one in twenty, are control characters that no text uses."""
    if not start or unicode_form(start) not in {None, "utf-8-sig"}:
        return False
    controls = len(start) - len(start.translate(None, _CONTROL))
    return controls > 4 and 20 * controls > len(start)


def detect(sample: bytes) -> str | None:
    """Return the most likely codec of a text that is not UTF-8, or None where none fits."""
    from charset_normalizer import from_bytes

    # UTF-16 and UTF-32 are found by unicode_form
    best = from_bytes(sample[:SAMPLE], cp_exclusion=_WIDE).best()
    name = None if best is None else best.encoding
    if name is None or (_LATIN.match(name) and name not in _NOT_LATIN):
        with contextlib.suppress(UnicodeDecodeError):
            sample.decode("cp1252")
            return "cp1252"
    return name


def decode(data: bytes, encoding: str | None = None) -> str:
    """Decode a whole text: in the encoding given, or by its byte order mark, or as UTF-8, or else as detected."""
    name = encoding or unicode_form(data)
    if name is None:
        with contextlib.suppress(UnicodeDecodeError):
            return data.decode("utf-8")
        name = detect(data)
    if name is None:
        raise Unreadable("text in no encoding that can be recognised; pass encoding=", data)
    try:
        return data.decode(name)
    except (UnicodeDecodeError, LookupError) as error:
        raise Unreadable(f"not valid {name}: {error}; pass encoding= if it is another", data) from None


def line_encoding(sample: bytes, *, utf8_expected: bool) -> str:
    """Return the codec of a file of line records, judged line by line.

    One bad line must not turn a whole UTF-8 file into mojibake, so another encoding is considered only where no
    line holds valid multi-byte UTF-8. Where the format demands UTF-8 (JSON), half of all lines must be invalid too.
    """
    if form := unicode_form(sample):
        return form
    lines = sample.split(b"\n")
    # the sample may end within a line, and within a character
    whole = lines[:-1] or [sample.rstrip(_NOT_ASCII)]
    foreign = [line for line in whole if not line.isascii()]
    invalid = [line for line in foreign if not is_utf8(line)]
    if not invalid or len(invalid) < len(foreign):
        return "utf-8"
    if utf8_expected and 2 * len(invalid) < len([line for line in lines if line.strip()]):
        return "utf-8"
    return detect(b"\n".join(invalid)) or "utf-8"


def as_utf8(stream: Stream, encoding: str) -> Stream:
    """Return the stream as UTF-8 without a byte order mark.

    What its encoding lacks comes through as bytes that are not UTF-8, so that only the record with them is bad.
    """
    if encoding in {"utf-8", "utf-8-sig"}:
        stream.read(len(codecs.BOM_UTF8) if encoding == "utf-8-sig" else 0)
        return stream
    return Stream(_Transcoded(stream, encoding), stream.budget)


def is_utf8(data: bytes) -> bool:
    """Whether bytes are UTF-8, by Arrow, which makes no string of them to find out."""
    try:
        pa.array([data], pa.large_binary()).cast(pa.large_string())
    except pa.ArrowInvalid:
        return False
    return True


class _Transcoded:
    """A stream of another encoding, read as UTF-8."""

    def __init__(self, stream: Stream, encoding: str) -> None:
        wide = encoding.replace("_", "-").startswith(("utf-16", "utf-32"))
        self._errors = "surrogatepass" if wide else "surrogateescape"
        self._encoding = encoding
        self._stream = stream
        self._decoder = codecs.getincrementaldecoder(encoding)(self._errors)

    def read(self, size: int = -1) -> bytes:
        while True:
            piece = self._stream.read(min(CHUNK, size) if size > 0 else CHUNK)
            try:
                text = self._decoder.decode(piece, final=not piece)
            except UnicodeDecodeError as error:
                reason = f"not valid {self._encoding}: {error.reason}; what follows is lost"
                raise Unreadable(reason) from None
            if text or not piece:
                return text.encode("utf-8", self._errors)

"""Code pages: which encoding a text is in that is not Unicode."""

from __future__ import annotations

import contextlib
import re
import unicodedata

from toolkit.files import word_lists
from toolkit.language import languages

SAMPLE = 1 << 18  # bytes looked at to decide an encoding
_LOOK = 1 << 15  # bytes, of lines that are not ASCII, looked at to tell Latin pages apart

# charset_normalizer cannot tell the Latin code pages apart on news-length samples: French in
# Windows-1252 comes back as cp1250, English curly quotes as cp852. Of these the web uses Windows-1252.
_LATIN = re.compile(
    r"(ascii|latin_1|cp125[02478]|cp437|cp500|cp8[56]\d|cp037|iso8859_\d+|mac_(?!cyr|gre).*)$"
)
_NOT_LATIN = {"iso8859_5", "iso8859_6", "iso8859_7", "iso8859_8", "cp855", "cp862", "cp864", "cp866", "cp869"}
_WIDE = ["utf_16", "utf_16_be", "utf_16_le", "utf_32", "utf_32_be", "utf_32_le", "utf_7"]

# what Latin text is in, most common first; another than the first counts only if that misreads LEAST characters, and
# itself at most one for MARGIN of these: names in a text that is read well are not enough
_PAGES = "cp1252 cp1250 iso8859_2 cp1254 cp1257 cp1258 mac_roman mac_latin2 cp850 cp852".split()
LEAST, MARGIN = 2, 4
_LETTERS = {language: frozenset("".join(letters)) for language, letters in word_lists("letters.txt").items()}
_WESTERN = frozenset(bytes(range(128, 256)).decode("cp1252", "ignore").lower())  # letters and signs
# signs that stand between two letters; quotes only where a space is missing, which another page must not gain by
_WITHIN, _QUOTES = "’‘´–—·…\xad\xa0", "“”«»"
_MARKUP = re.compile(r"<[^<>]{0,2000}>")


def detect(sample: bytes) -> str | None:
    """Return the most likely codec of a text that is not UTF-8, or None where none fits."""
    from charset_normalizer import from_bytes

    # UTF-16 and UTF-32 are found by unicode_form
    best = from_bytes(sample[:SAMPLE], cp_exclusion=_WIDE).best()
    name = None if best is None else best.encoding
    if name is None or (_LATIN.match(name) and name not in _NOT_LATIN):
        if (page := _latin(sample[:SAMPLE])) != "cp1252":
            return page
        with contextlib.suppress(UnicodeDecodeError):
            sample.decode("cp1252")
            return "cp1252"
    return name


def _latin(sample: bytes) -> str:
    """Return the code page of Latin text: Windows-1252, unless another yields the letters of the text's language."""
    foreign = b"\n".join(line for line in sample.splitlines() if not line.isascii())
    readings = {page: _MARKUP.sub(" ", foreign[:_LOOK].decode(page, "replace")) for page in _PAGES}
    # the words without accents show the language even of a wrong reading, or leave it unclear
    told = zip(_PAGES, languages(list(readings.values())), strict=True)
    wrong = {}
    for page, language in told:
        within = _WITHIN + _QUOTES if page == "cp1252" else _WITHIN
        wrong[page] = _misread(readings[page], _LETTERS.get(str(language), _WESTERN), within)
    best = min(_PAGES, key=lambda page: wrong[page])
    return best if wrong["cp1252"] >= max(LEAST, MARGIN * wrong[best]) else "cp1252"


def _misread(text: str, letters: frozenset[str], within: str) -> int:
    """Count the characters beyond ASCII that no text in a language of these letters has, or not at such a place."""
    count = 0
    for found in re.finditer(r"[^\x00-\x7f]", text):
        character, (start, end) = found[0], found.span()
        before, after = text[start - 1 : start], text[end : end + 1]
        if character.isalpha() or unicodedata.combining(character):
            wrong = character.lower() not in letters or (character.isupper() and before.islower())
        else:
            inside = before.isalpha() and after.isalpha()
            wrong = character not in _WESTERN or (inside and character not in within)
        count += wrong
    return count

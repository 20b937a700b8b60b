"""Words by which the cutter tells where a sentence ends, where a name goes on, and where furniture begins."""

from __future__ import annotations

import numpy as np

from toolkit.buffer import FNV, PRIME, SPACE, among, decode, fnv
from toolkit.files import word_lists
from toolkit.kernels import njit

_WORDS = word_lists("cues.txt")
# sorted hashes, among which toolkit.buffer.among looks
ABBREVIATIONS, BEFORE_DAYS, MONTHS, CAMEL, JOINED, SOURCES, CREDITED, OPENINGS, CREDITS, OUTLETS, NO_OUTLETS = (
    np.sort(np.array([fnv(word.encode()) for word in _WORDS[name]], np.uint64))
    for name in (
        "abbreviations", "days", "months", "camel", "joined", "sources", "credited", "openings", "credits", "outlets",
        "no_outlets",
    )
)  # fmt: skip
_REACH = 3000  # bytes on either side in which a name with a capital inside is looked for again
_COUNT = np.frombuffer(b"[+", np.uint8)
_CHARS = np.frombuffer(b" chars]", np.uint8)
_WINDOW = np.frombuffer(b"new window", np.uint8)
_UHR = np.frombuffer(b"Uhr", np.uint8)
BRACKET = 160  # most bytes of a bracket that can be a piece of its own, such as a credit
_NAME = 48  # most bytes of an outlet's name in a credit
_PERSON = 9  # most bytes of a person's name there
_DATED = 24  # bytes before a time of day in which a date's year stands


@njit(cache=True, nogil=True)
def _is_letter(b):  # type: ignore[no-untyped-def]
    return 65 <= b <= 90 or 97 <= b <= 122


@njit(cache=True, nogil=True)
def _hashed(data, a, b):  # type: ignore[no-untyped-def]
    value = FNV
    for j in range(a, b):
        value = (value ^ np.uint64(data[j])) * PRIME
    return value


@njit(cache=True, nogil=True)
def _among_lower(words, data, lo, hi):  # type: ignore[no-untyped-def]
    """Whether ``data[lo:hi]``, with small letters for capitals, is one of the words."""
    value = FNV
    for j in range(lo, hi):
        value = (value ^ np.uint64(data[j] + 32 if 65 <= data[j] <= 90 else data[j])) * PRIME
    return among(words, value)


@njit(cache=True, nogil=True)
def is_abbreviation(data, lo, stop):  # type: ignore[no-untyped-def]
    """Whether the word that ends before the full stop at ``stop`` is an initial or an abbreviation."""
    i = stop
    inner = False
    while i > lo and stop - i < 12 and (data[i - 1] == 46 or _is_letter(data[i - 1])):
        i -= 1
        inner |= data[i] == 46
    if stop - i == 1:
        return 65 <= data[i] <= 90
    return inner or _among_lower(ABBREVIATIONS, data, i, stop)


@njit(cache=True, nogil=True)
def is_ordinal(data, lo, stop, hi):  # type: ignore[no-untyped-def]
    """Whether the full stop at ``stop`` makes one or two digits an ordinal, as in `am 3. Juli`, `der 1. FC`."""
    i = stop
    while i > lo and stop - i < 3 and 48 <= data[i - 1] <= 57:
        i -= 1
    if not 1 <= stop - i <= 2:
        return False
    a, b = i - 1, stop + 2
    while a > lo and i - a < 7 and data[a - 1] > 64:
        a -= 1
    while b < hi and b - stop < 12 and data[b] > 64:
        b += 1
    before = a < i - 1 and data[i - 1] == 32 and _among_lower(BEFORE_DAYS, data, a, i - 1)
    return before or (b > stop + 2 and _among_lower(MONTHS, data, stop + 2, b))


@njit(cache=True, nogil=True)
def _recurs(data, lo, hi, a, b):  # type: ignore[no-untyped-def]
    """Whether the word ``data[a:b]`` stands near by once more."""
    for k in range(max(lo, a - _REACH), min(hi, b + _REACH) - (b - a) + 1):
        if data[k] != data[a] or k == a or (k > lo and _is_letter(data[k - 1])):
            continue
        end = k + b - a
        if _stands(data, k, lo, hi, data[a:b]) and (end == hi or not _is_letter(data[end])):
            return True
    return False


@njit(cache=True, nogil=True)
def is_name(data, lo, begin, hi, i):  # type: ignore[no-untyped-def]
    """Whether the capital letter within a word at ``i`` belongs to a name (McConnell, YouTube) or an address.

    The text is ``data[lo:hi]``, its segment begins at ``begin``.
    A word that stands near by once more is a name, unless furniture or sentences begin with either part of it.
    """
    a = i  # at most 64 letters: hostile text without spaces would otherwise take quadratic time
    while a > begin and i - a < 64 and _is_letter(data[a - 1]):
        a -= 1
    # / @ . # _ - or a digit
    if a > begin and (data[a - 1] in (47, 64, 46, 35, 95, 45) or 48 <= data[a - 1] <= 57):
        return True
    if i - a < 3 or (i - a == 3 and data[a] == 77 and data[a + 1] == 97 and data[a + 2] == 99):  # Mac
        return True
    b = i
    while b < hi and b - i < 64 and _is_letter(data[b]):
        b += 1
    if b < hi and data[b] in (64, 47):
        return True
    value = FNV
    for j in range(a, b):
        value = (value ^ np.uint64(data[j])) * PRIME
        if j >= i and among(CAMEL, value):
            return True
    joined = _among_lower(JOINED, data, a, i) or _among_lower(JOINED, data, i, b)
    return not joined and b - i > 1 and _recurs(data, lo, hi, a, b)


@njit(cache=True, nogil=True)
def ends_credit(data, lo, last, at, hi):  # type: ignore[no-untyped-def]
    """Whether a credit, as ``[Name/Agency]`` or ``Getty Images``, ends at ``last``, before the word at ``at``."""
    if data[last - 1] in (41, 93):
        opener = 40 if data[last - 1] == 41 else 91
        parted = False
        for i in range(last - 2, max(lo, last - BRACKET) - 1, -1):
            if data[i] == opener:
                return parted
            parted |= data[i] in (47, 58)  # / :
        return False
    i, end = last, at
    while i > lo and last - i < 12 and data[i - 1] > 32 and data[i - 1] != 47:
        i -= 1
    while end < min(at + 10, hi) and _is_letter(data[end]):
        end += 1
    return among(SOURCES, _hashed(data, i, last)) and not among(CREDITED, _hashed(data, at, end))


@njit(cache=True, nogil=True)
def opens_furniture(data, i, hi):  # type: ignore[no-untyped-def]
    """Whether ``Read more``, ``Image caption`` or the like begins at ``i``."""
    value = FNV
    for j in range(i, min(i + 24, hi)):
        b = data[j]
        if b == 58:
            return among(OPENINGS, (value ^ np.uint64(58)) * PRIME)
        if b <= 32:
            b = 45
        elif 65 <= b <= 90:
            b += 32
        value = (value ^ np.uint64(b)) * PRIME
        if (j + 1 >= hi or data[j + 1] <= 32 or data[j + 1] == 58) and among(OPENINGS, value):
            return True
    return False


@njit(cache=True, nogil=True)
def _stands(data, at, lo, hi, word):  # type: ignore[no-untyped-def]
    """Whether the bytes of ``word`` stand at ``at``, within ``lo`` and ``hi``."""
    same = at >= lo and at + len(word) <= hi
    k = 0
    while same and k < len(word):
        same = data[at + k] == word[k]
        k += 1
    return same


@njit(cache=True, nogil=True)
def counts_the_rest(data, i, hi):  # type: ignore[no-untyped-def]
    """Whether ``[+1234 chars]``, with which NewsAPI cuts a text off, ends the text at ``hi`` from ``i`` on."""
    j = i + 2
    while j < hi and 48 <= data[j] <= 57:
        j += 1
    return _stands(data, i, i, hi, _COUNT) and _stands(data, j, i + 3, hi, _CHARS) and j + len(_CHARS) == hi


@njit(cache=True, nogil=True)
def ends_share_bar(data, lo, last):  # type: ignore[no-untyped-def]
    """Whether ``… open in a new window`` ends at ``last``."""
    return _stands(data, last - len(_WINDOW), lo, last, _WINDOW)


@njit(cache=True, nogil=True)
def _digits(data, a, b):  # type: ignore[no-untyped-def]
    for j in range(a, b):  # noqa: SIM110  (numba compiles no generators)
        if not 48 <= data[j] <= 57:
            return False
    return True


@njit(cache=True, nogil=True)
def _clock(data, lo, last):  # type: ignore[no-untyped-def]
    """Whether a time of day ends at ``last``: ``20:14``, ``18h05``."""
    a = last - 5
    if a < lo or (a > lo and data[a - 1] > 32 and data[a - 1] != 44) or data[a + 2] not in (58, 104):
        return False
    hour = data[a] < 50 or (data[a] == 50 and data[a + 1] <= 51)
    return hour and data[a + 3] <= 53 and _digits(data, a, a + 2) and _digits(data, a + 3, last)


@njit(cache=True, nogil=True)
def _year(data, lo, last):  # type: ignore[no-untyped-def]
    """Whether a year of this century or the last ends at ``last``."""
    a = last - 4
    if a < lo or not _digits(data, a, last) or (a > lo and not (data[a - 1] <= 47 or data[a - 1] >= 128)):
        return False
    return (data[a] == 49 and data[a + 1] == 57) or (data[a] == 50 and data[a + 1] == 48)


@njit(cache=True, nogil=True)
def _of_clocks(data, i, hi):  # type: ignore[no-untyped-def]
    """Whether what stands at ``i`` belongs to a time of day before it: ``Uhr``, ``CET``, ``p.m.``."""
    if i + 1 >= hi:
        return False
    zone = 65 <= data[i] <= 90 and 65 <= data[i + 1] <= 90
    return zone or data[i + 1] == 46 or _stands(data, i, i, hi, _UHR)


@njit(cache=True, nogil=True)
def ends_stamp(data, lo, last, at, hi):  # type: ignore[no-untyped-def]
    """Whether a date and a time of day (``28.03.2019, 12:44``) end at ``last``, before the word at ``at``."""
    clock = last
    if not _clock(data, lo, last):
        while clock > lo and last - clock < 6 and data[clock - 1] > 32:
            clock -= 1
        if clock - 1 <= lo or data[clock - 1] != 32 or not _of_clocks(data, clock, last):
            return False
        clock -= 1
        if not _clock(data, lo, clock):
            return False
    elif _of_clocks(data, at, hi):
        return False
    for end in range(max(lo, clock - _DATED) + 4, clock - 4):
        if _year(data, lo, end) and not 48 <= data[end] <= 57:
            return True
    return False


@njit(cache=True, nogil=True)
def ends_date(data, lo, at, hi):  # type: ignore[no-untyped-def]
    """Whether a year or a time of day ends at ``at``, where a word with a capital is glued to it (``2015Der``)."""
    if at + 1 >= hi or not 97 <= data[at + 1] <= 122 or at - lo < 5:
        return False
    if _clock(data, lo, at):
        return not _of_clocks(data, at, hi)
    return _year(data, lo, at) and data[at - 5] in (32, 44, 46, 47, 45)


@njit(cache=True, nogil=True)
def _space(data, i, hi, classes):  # type: ignore[no-untyped-def]
    """Bytes of the space at ``i``, 0 for none."""
    code, size = decode(data, i, hi)
    return size if classes[code] == SPACE else 0


@njit(cache=True, nogil=True)
def end_of_spaces(data, i, hi, classes):  # type: ignore[no-untyped-def]
    """Where the spaces at ``i`` end."""
    while i < hi and _space(data, i, hi, classes) > 0:
        i += _space(data, i, hi, classes)
    return i


@njit(cache=True, nogil=True)
def end_of_words(data, lo, i, classes):  # type: ignore[no-untyped-def]
    """Where the words before ``i`` end, behind which only spaces stand."""
    while i > lo:
        j = i - 1
        while j > lo and data[j] & 0xC0 == 0x80:
            j -= 1
        if j <= lo or _space(data, j, i, classes) == 0:
            break
        i = j
    return i


@njit(cache=True, nogil=True)
def _wide(data, i, hi, last):  # type: ignore[no-untyped-def]
    """Whether a full-width mark stands at ``i``; ``last`` is its last byte (0x88 of ``（``, 0x89 of ``）``)."""
    return i + 2 < hi and data[i] == 0xEF and data[i + 1] == 0xBC and data[i + 2] == last


@njit(cache=True, nogil=True)
def _opens_credit(data, i, hi):  # type: ignore[no-untyped-def]
    """End of the longest word at ``i`` with which a credit in Chinese or Japanese opens (``来源``, ``记者``), or -1."""
    value = FNV
    found = -1
    for j in range(i, min(i + 18, hi)):
        value = (value ^ np.uint64(data[j])) * PRIME
        if (j + 1 == hi or data[j + 1] & 0xC0 != 0x80) and among(CREDITS, value):
            found = j + 1
    return found


@njit(cache=True, nogil=True)
def _colon(data, i, hi):  # type: ignore[no-untyped-def]
    """End of the colon or slash at ``i``, or -1."""
    if i < hi and data[i] in (58, 47):
        return i + 1
    return i + 3 if _wide(data, i, hi, 0x9A) or _wide(data, i, hi, 0x8F) else -1


@njit(cache=True, nogil=True)
def ends_credit_bracket(data, i, hi, classes):  # type: ignore[no-untyped-def]
    """End of the bracket that opens at ``i``, if it is a credit, as ``（来源：晨报）``, ``【文/李明】``; or -1.

    Behind its first word stands a colon, a slash or a space, or a name of up to three letters.
    """
    square = data[i] == 0xE3 and i + 2 < hi and data[i + 1] == 0x80 and data[i + 2] in (0x90, 0x94)
    wide = square or _wide(data, i, hi, 0x88)
    inner = i + 3 if wide else i + 1
    if not wide and data[i] != 40:
        return -1
    word = _opens_credit(data, inner, hi)
    if word < 0:
        return -1
    parted = _colon(data, word, hi) > 0 or (
        word < hi and word - inner > 3 and _space(data, word, hi, classes) > 0
    )
    for j in range(word, min(i + BRACKET, hi)):
        parted |= word - inner > 3 and 0 < j - word <= _PERSON and _colon(data, j, hi) > 0
        closed = data[j] == 0xE3 and data[j + 1] == 0x80 and data[j + 2] in (0x91, 0x95)
        end = j + 1 if data[j] == 41 else j + 3 if (square and closed) or _wide(data, j, hi, 0x89) else -1
        if end > 0:
            named = word - inner > 3 and j - word <= _PERSON
            return end if parted or named else -1
    return -1


@njit(cache=True, nogil=True)
def ends_credit_line(data, i, hi, classes):  # type: ignore[no-untyped-def]
    """End of the credit with which a line opens (``来源：晨报 昨日…``, ``来源：cnBeta谷歌…``), or -1.

    The name ends at a space, another credit, letters of another script, or what names of outlets end with (``报``).
    """
    word = _opens_credit(data, i, hi)
    a = _colon(data, word, hi) if word > 0 else -1
    if a < 0:
        return -1
    a = end_of_spaces(data, a, hi, classes)
    outlet = -1
    latin = a < hi and data[a] < 0x80
    b = a
    while b < min(a + _NAME, hi):
        size = _space(data, b, hi, classes)
        if size > 0:
            if not latin or b + size >= hi or not _is_letter(data[b + size]):  # a name may have several words
                return b if b > a else -1
            b += size
        elif latin:
            if data[b] >= 0xE3:
                return b if b > a + 1 else -1
            b += 1
        elif data[b] < 0xE3 or data[b] >= 0xEF or (b > a and _opens_credit(data, b, hi) > 0):
            break
        else:
            b += 3
            ends = b - a > 3 and among(OUTLETS, _hashed(data, b - 3, b))
            goes_on = b + 3 <= hi and among(NO_OUTLETS, _hashed(data, b - 3, b + 3))  # 社会, 台湾
            if ends and not goes_on and (outlet < 0 or outlet == b - 3):  # as in 晨报网
                outlet = b
    if outlet == hi:
        return -1  # the line holds nothing else
    if b > a and b < hi and _opens_credit(data, b, hi) > 0:
        return b
    return outlet

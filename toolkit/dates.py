"""Dates as news data writes them, to microseconds since 1970 in UTC."""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from email.utils import parsedate_to_datetime
from functools import lru_cache
from typing import Any

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
FIRST = (datetime.min.replace(tzinfo=UTC) - _EPOCH) // _MICROSECOND
LAST = (datetime.max.replace(tzinfo=UTC) - _EPOCH) // _MICROSECOND
"""Microseconds between which a date lies: the years 1 to 9999."""

_LONGEST = 64
_STAMP = re.compile(r"(?:19|20)\d\d(?:\d{4}(?:\d{4}(?:\d\d)?)?)?")  # YYYY, or with MMDD, hhmm and ss
_WHOLE = re.compile(r"^(\d{8}|\d{12}|\d{14})\.0+$")
_YEAR = re.compile(r"(?<!\d)\d{4}(?!\d)")
_DOTTED = re.compile(r"(?<!\d)\d{1,2}\. ?\d{1,2}\. ?\d{2,4}(?!\d)")
_HALF = re.compile(r"(?i)\b(?:0?\d|1[0-2])(?:[:.]\d\d){0,2}\s*[ap]\.?m\b")
_OFFSET = re.compile(r"\b(?:GMT|UTC)\s*(?=[+-]\d)")
_SLASHED = re.compile(r"(?<![\d/-])(\d{1,2})([/-])(\d{1,2})\2(?:\d\d)?\d\d(?![\d/-])")
# a date with a year of two digits: 5.3.21, 05/03/21 07:15, 05-Mar-21 as Excel writes it
_SHORT = re.compile(r"\d([/.-])\d+\1\d\d(?=$|,? \d)|\d([- ])[^\W\d_]{3,}\.?\2\d\d(?=$|,? \d)")
_DAY = re.compile(r"(?<!\d)\d{1,2}(?!\d)")
_WORDS = 10
# names of months are read in these languages, tried in this order
LANGUAGES = "en de fr es it pt nl sv da nb fi pl cs ru uk tr ar he fa hi id vi th zh ja ko el ro hu bg"

# RFC 2822 section 4.3 names the American zones; the others are what publishers print.
_ZONES = {
    "UT": 0, "UTC": 0, "GMT": 0, "Z": 0, "WET": 0, "BST": 1, "CET": 1, "MEZ": 1, "CEST": 2, "MESZ": 2, "EET": 2,
    "EEST": 3, "MSK": 3, "EST": -5, "EDT": -4, "CST": -6, "CDT": -5, "MST": -7, "MDT": -6, "PST": -8, "PDT": -7,
    "ET": -5, "PT": -8, "WEST": 1, "WEZ": 0, "OEZ": 2, "OESZ": 3, "SAST": 2, "HKT": 8, "SGT": 8, "JST": 9, "KST": 9,
    "AEST": 10, "AEDT": 11, "NZST": 12, "NZDT": 13,
}  # fmt: skip


def parse_date(value: Any, *, day_first: bool = False) -> int | None:
    """Return a date as microseconds since 1970-01-01 UTC, or None where it is none.

    ``docs/formats.md`` lists what is read. ``03/04/2021`` is 4 March, as in American data, or 3 April if
    ``day_first``; ``03.04.2021`` is 3 April, for dots are European. Times without a zone are UTC; a date without a
    year is none. What is a number of five digits is taken for a day as Excel counts it, in the years 1960 to 2050.
    """
    if isinstance(value, dict):  # MongoDB's extended JSON
        return parse_date(value.get("$date", value.get("$numberLong")), day_first=day_first)
    if isinstance(value, list) and len(value) == 1:
        return parse_date(value[0], day_first=day_first)
    if isinstance(value, str):
        # pandas writes whole numbers with ".0" where another row's is missing
        text = _WHOLE.sub(r"\1", value.strip())
        return _parse_text(text, day_first) if value and len(value) <= _LONGEST else None
    if isinstance(value, date):
        return _micros(value if isinstance(value, datetime) else datetime(value.year, value.month, value.day))
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        text = str(int(value)) if 1e3 < value < 1e14 else ""
        if _STAMP.fullmatch(text):
            return _parse_text(text, False)
        # another smaller number is a month or a mistake; seconds have nine digits since 1973
        return _since_1970(value) if abs(value) >= 1e8 else _by_excel(value)
    return None


def slashed(values: Iterable[Any]) -> list[tuple[int, int]]:
    """Return the first two numbers of each date such as ``25/03/2021`` among the values."""
    texts = (value[:_LONGEST] for value in values if isinstance(value, str) and not value[:4].isdecimal())
    return [(int(match[1]), int(match[3])) for match in map(_SLASHED.search, texts) if match]


def day_orders(pairs: Iterable[tuple[int, int]]) -> set[bool]:
    """Return what :func:`slashed` dates prove: that the day stands first (True), the month (False), or both."""
    return {first > second for first, second in pairs if min(first, second) <= 12 < max(first, second) <= 31}


@lru_cache(maxsize=1 << 16)
def _parse_text(text: str, day_first: bool) -> int | None:
    if re.fullmatch(r"-?\d{9,}(\.\d+)?", text):
        stamp = _STAMP.fullmatch(text)
        found = _parse(datetime.strptime, text, "%Y%m%d%H%M%S"[: len(text) - 2]) if stamp else None
        # twelve digits that are no such date may be milliseconds since 1970, as in the year 1976
        return found if stamp and (found is not None or len(text) == 14) else _since_1970(float(text))
    try:
        return _micros(datetime.fromisoformat(text))
    except ValueError:
        pass
    if re.fullmatch(r"\d{5}(\.\d+)?", text):
        return _by_excel(float(text))
    if (found := _parse(_by_mail, text)) is not None or not (_YEAR.search(text) or _SHORT.search(text)):
        return found
    found = _parse(_by_dateutil, text, day_first)
    return found if found is not None else _parse(_by_dateparser, text)


def _parse(parser: Any, *arguments: Any) -> int | None:
    try:
        return _micros(parser(*arguments))
    except (ValueError, TypeError, OverflowError, IndexError, ArithmeticError, AttributeError):
        return None


def _by_mail(text: str) -> datetime:
    """Read a date of RFC 2822, unless a half of the day or a zone that is none of its own would be passed over."""
    found = parsedate_to_datetime(text)
    zone = _OFFSET.search(text) or not _ZONES.keys().isdisjoint(re.findall("[A-Z]+", text))
    if _HALF.search(text) or (found.tzinfo is None and zone):
        raise ValueError("half of the day or zone not read")
    return found


def _by_dateutil(text: str, day_first: bool) -> datetime:
    from dateutil import parser

    def zone(name: str | None, offset: int | None) -> int | None:
        hours = _ZONES.get(name or "")
        return offset if offset is not None else None if hours is None else 3600 * hours

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        # two defaults that share no part show which parts the text itself does not give
        european = bool(_DOTTED.search(text) or (day_first and _SLASHED.search(text)))
        text = _OFFSET.sub("", text)  # by POSIX, as dateutil reads it, GMT+2 would lie west
        first = parser.parse(text, default=datetime(2000, 1, 1), tzinfos=zone, dayfirst=european)
        second = parser.parse(text, default=datetime(2001, 2, 2), tzinfos=zone, dayfirst=european)
    if first.year != second.year:
        raise ValueError("no year")
    return first


@lru_cache(maxsize=1)
def _dateparser() -> Any:
    from dateparser.date import DateDataParser

    # no earlier date may decide how the next is read, and nothing relative to today ("yesterday")
    return DateDataParser(
        languages=LANGUAGES.split(), try_previous_locales=False,
        settings={"TIMEZONE": "UTC", "REQUIRE_PARTS": ["day", "month", "year"], "PARSERS": ["absolute-time"],
                  "DATE_ORDER": "DMY"},
    )  # fmt: skip


def _by_dateparser(text: str) -> datetime | None:
    """Read a date with the name of its month; what has no day and year, or is a sentence, is not tried."""
    if not (_YEAR.search(text) and _DAY.search(text)) or text.count(" ") >= _WORDS:
        return None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = _dateparser().get_date_data(text).date_obj
    return found if isinstance(found, datetime) else None


def _by_excel(number: float) -> int | None:
    """Read days since 1899-12-30 in the years 1960 to 2050: smaller ones may be days since 1970."""
    return _since_1970(round((number - 25_569) * 86_400)) if 21_916 <= number < 55_153 else None


def _since_1970(number: float) -> int | None:
    size = abs(number)
    micros = number * (10**6 if size < 1e11 else 10**3 if size < 1e14 else 1)
    return round(micros) if FIRST <= micros <= LAST else None


def _micros(when: datetime) -> int | None:
    try:
        micros = ((when if when.tzinfo is not None else when.replace(tzinfo=UTC)) - _EPOCH) // _MICROSECOND
    except (OverflowError, ValueError):
        return None
    return micros if FIRST <= micros <= LAST else None

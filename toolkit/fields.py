"""Which field of a record is which column of a corpus, and how its value is read."""

from __future__ import annotations

import ast
import contextlib
import difflib
import json
import re
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any

from toolkit.files import word_lists

_LISTS = word_lists("field_names.txt")
FIELDS: Mapping[str, list[str]] = {
    role: [*names, *_LISTS.get(f"{role}_abroad", [])]
    for role, names in _LISTS.items()
    if "abroad" not in role
}
"""Source names of each corpus column, most trusted first; case, ``_``, ``-`` and spaces do not count."""

PAGES = word_lists("page_names.txt")  # what pages, and fields that hold one, call the same

# scheme, user and port are left out; mailto: and javascript: have no host
_CAMPAIGN = re.compile(r"(?:utm_\w+|fbclid|gclid|dclid|msclkid|mc_[ce]id|igshid|cmpid|ocid)(?:=|$)", re.I)
_AUTHORITY = re.compile(
    r"(?:[a-z][a-z0-9+.-]*://|//|(?![a-z][a-z0-9+.-]*:(?!\d)))(?:[^/@?#\s]*@)?([^/:?#\s]+)", re.I
)
_HOST = re.compile(
    r"(?:[a-z][a-z0-9+.-]*:)?(?://)?(?:[^/@?#\s]*@)?([a-z0-9.-]+\.[a-z0-9-]+)\.?(?::\d+)?(?:[/?#]\S*)?$", re.I
)

# copies of a page: in the Wayback Machine, which may leave a slash of the scheme out, and in Google's caches of AMP
_COPY = re.compile(
    r"^\s*(?:https?:)?(?://)?(?:web\.archive\.org/web/\d{1,14}(?:[a-z]{2}_)?/|[\w-]+\.cdn\.ampproject\.org/\w/(?:s/)?"
    r"|www\.google\.[a-z.]{2,6}/amp/(?:s/)?)(?:https?:/{1,2})?(?=\S)", re.I
)  # fmt: skip


def url_key(url: str | None) -> str | None:
    """Return what two addresses of one page have in common, parameters in order, or None where there is no address.

    Left out are scheme, ``www.``, ``m.``, ``amp.``, port, fragment, a closing slash, ``index.html``, ``utm_…``;
    a copy in the Wayback Machine or a cache of AMP pages has the address of its page.
    """
    url = _COPY.sub("", url, count=1).strip() if isinstance(url, str) else ""
    if (found := _AUTHORITY.match(url)) is None:
        return None
    path, _, query = url[found.end() :].partition("#")[0].partition("?")
    host = re.sub(r"^(?:www\d?|m|mobile|amp)\.", "", found.group(1).lower())
    path = re.sub(r"^:\d+|/(?:index\.\w{3,5}|amp)?/?$", "", path)
    kept = sorted(part for part in query.split("&") if part and not _CAMPAIGN.match(part))
    return host + path + ("?" + "&".join(kept) if kept else "")


def registrable_domain(url: str | None) -> str | None:
    """Return the registrable domain of a URL or host name (``bbc.co.uk``) by the public suffix list, or None.

    Of a copy of a page (Wayback Machine, cache of AMP pages) it is that of the page.
    """
    found = _AUTHORITY.match(_COPY.sub("", url, count=1).strip()) if isinstance(url, str) else None
    return None if found is None else _domain_of_host(found.group(1).lower())


@lru_cache(maxsize=1 << 16)
def _domain_of_host(host: str) -> str | None:
    from tld import get_fld

    # the list ships with tld: nothing is fetched; a corpus has thousands of URLs a publisher
    found = get_fld(f"http://{host}", fail_silently=True)
    return found if isinstance(found, str) else None


@lru_cache(maxsize=4096)
def squash(name: str) -> str:
    """Return a field name without case, ``_``, ``-``, ``:`` and spaces."""
    return re.sub(r"[\s_:-]+", "", name).lower()


_PLACES = {role: {squash(name): i for i, name in enumerate(names)} for role, names in FIELDS.items()}
# fields of URLs whose values count only where they are whole web addresses, squashed
WHOLE_ADDRESSES = frozenset(map(squash, ("source_url", "uri")))
_MARKUP = {kind: set(map(squash, PAGES[kind])) for kind in ("fragment", "page")}
_ABROAD = {squash(name) for role, names in _LISTS.items() if role.endswith("_abroad") for name in names}
_KNOWN = set().union(*_PLACES.values())


def is_known(name: str) -> bool:
    """Whether a field may fill a corpus column by itself."""
    return squash(name) in _KNOWN


def is_abroad(name: str) -> bool:
    """Whether a field has a name of another language than English, where dates put the day first."""
    return squash(name) in _ABROAD


def markup_kind(name: str) -> str | None:
    """Return what a field of this name holds if it is markup: a ``fragment`` or a ``page``."""
    return next((kind for kind, names in _MARKUP.items() if squash(name) in names), None)


def candidates(role: str, names: Iterable[str], columns: Mapping[str, str] | None = None) -> list[str]:
    """Return the fields that may fill a column (of a corpus, or a further one of ``columns``), most trusted first.

    Where ``columns``, column → field name as given by the user, names the column, only that field counts.
    """
    field = (columns or {}).get(role)
    if field is not None:
        return sorted((n for n in names if squash(n) == squash(field)), key=lambda n: (n != field, n))
    order = _PLACES.get(role, {})
    # of several spellings of one name ("Text", "text") the one in lower case counts
    found = ((order[squash(name)], name != name.lower(), name) for name in names if squash(name) in order)
    return [name for _, _, name in sorted(found)]


@lru_cache(maxsize=1 << 16)
def publisher_of(value: str) -> str:
    """Return a publisher as every route names it: of a host name or URL the registrable domain, else the name as it is.

    What a field ``publisher`` says is not changed. Without one, :func:`registrable_domain` of ``url`` is taken.
    """
    found = _HOST.match(_COPY.sub("", value, count=1).strip()) if len(value) < 1000 else None
    if found is None:
        return value
    host = found.group(1).lower()
    return registrable_domain(host) or host.removeprefix("www.")


def as_text(role: str, value: Any) -> str | None:
    """Return a field's value as a string, or None where it is missing or of no use for the column.

    Strings stay, but for lists of authors that pandas wrote as one. Lists are joined by an empty line for ``text``, a
    space for ``title``, ``; `` for ``authors``; of objects the ``name`` or ``value`` counts. Else values become JSON.
    """
    if role == "authors":
        return _names(value)
    # NaN is what pandas writes for missing, and differs from itself
    if value is None or isinstance(value, str) or (isinstance(value, float) and value != value):  # noqa: PLR0124
        return value if isinstance(value, str) else None
    if role not in FIELDS:
        return json.dumps(value, ensure_ascii=False, default=str)
    if isinstance(value, dict):
        return _member(value)
    if isinstance(value, (list, tuple)) and value and all(isinstance(v, str) for v in value):
        return {"text": "\n\n", "title": " "}.get(role, ", ").join(value)
    number = isinstance(value, (int, float)) and not isinstance(value, bool)
    return str(value) if role == "doc_id" and number else None


def _member(value: Mapping[str, Any], *names: str) -> str | None:
    members = (value.get(name) for name in (*names, "value", "name", "#text", "$oid"))
    return next((each for each in members if isinstance(each, str)), None)


def _names(value: Any) -> str | None:
    """Return names joined by ``; ``: from a string, an object with a name, or a list of these."""
    if isinstance(value, str) and value.startswith("[") and value.endswith("]") and len(value) < 10_000:
        with contextlib.suppress(ValueError, SyntaxError, MemoryError, RecursionError):
            value = ast.literal_eval(value)
    if isinstance(value, dict):
        value = _member(value, "name")
    if isinstance(value, (list, tuple)):
        names = [name for name in map(_names, value) if name and name.strip()]
        return "; ".join(dict.fromkeys(names)) or None
    return value if isinstance(value, str) else None


def nearest(name: str, names: Iterable[str]) -> str | None:
    """Return the name that was probably meant, as "text" by "txet": nearly the same letters and as many; or None."""
    close = difflib.get_close_matches(squash(name), [squash(other) for other in names], cutoff=0.7)
    found = {squash(other): other for other in names if other != name}
    return next((found[other] for other in close if other in found and abs(len(other) - len(name)) < 2), None)

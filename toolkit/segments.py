"""Segments: cut the texts of a buffer into lines and sentences; return their byte offsets.

A *segment* is the smallest piece that the remover keeps or removes: a line, a sentence, or a part of a line
between two *glued joints*, places where flattening a page lost the space between two sentences
(``difference.Russian``, ``.”He``). Offsets are bytes in one contiguous Arrow buffer; only the table of spans
counts in code points.
"""

# ruff: noqa: ANN001, ANN202  (numba kernels infer their types)

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numba import njit

from toolkit.buffer import (
    BREAK,
    BULLET,
    CLASSES,
    CLOSER,
    DIGIT,
    FNV,
    LOWER,
    OPENER,
    OTHER,
    PRIME,
    SPACE,
    STOP,
    UPPER,
    WIDE_STOP,
    Buffer,
    Bytes,
    Offsets,
    among,
    decode,
    fnv,
)  # fmt: skip

# The joint of a segment: what separates it from the segment before it in the same document.
FIRST, PARAGRAPH, LINE, SENTENCE, GLUED, INLINE = 0, 1, 2, 3, 4, 5

_ABBREVIATIONS = (
    "mr mrs ms dr sen sens rep reps gov gen lt col sgt capt cmdr maj st jr sr no vs jan feb mar apr jun jul "
    "aug sept sep oct nov dec inc corp co ltd prof rev hon mt ft pres supt dept est al eds ed vol pp cf "
    "approx bzw ca dr evtl ggf hl hrsg inkl mio mrd nr str tel usw vgl zb mme mlle sra srta dra ud uds"
).split()
_CAMEL_WORDS = (
    "AbbVie AccuWeather ActBlue AirAsia AirBnB AliExpress AllSides AstraZeneca AutoNation BabyCenter BioNTech "
    "BioShock BitTorrent BlackBerry BlackRock BlueCross BlueShield BrightLine BuzzFeed BuzzMachine ByteDance "
    "CafeMom CalFire CalMatters CarMax CinemaScore CityLab CloudFlare ConocoPhillips CoreCivic CoreLogic "
    "CrowdStrike CrowdTangle DailyKos DailyWire DaimlerChrysler DataDog DeBlasio DeepMind DeLay DeSantis "
    "DeVos DigitalOcean DoorDash DreamWorks DuckDuckGo EcoHealth EveryTown ExxonMobil FaceTime FactCheck "
    "FactSet FairTax FairVote FedEx FirstEnergy FitzGerald FiveThirtyEight FlightAware FoxNews FreedomWorks "
    "GameStop GitHub GlaxoSmithKline GlobalPost GoFundMe GuideStar HarperCollins HarperOne HeadCount "
    "HealthCare HotAir HubSpot HuffPo HuffPost HumanProgress InfoWars InsideClimate InStyle InterContinental "
    "iPhone JavaScript JetBlue KeyBank KnowledgePanel LabCorp LaHood LaPierre LastPass LeBron LendingClub "
    "LendingTree LexisNexis LifeLock LifeSite LifeZette LightRocket LinkedIn LiveScience MacArthur MapQuest "
    "MarketWatch MasterCard McCain McCarthy McConnell MediaBuzz MedStar MetLife MetroCard MicroStrategy "
    "MoffettNathanson MoveOn NeverTrump NeverTrumper NeverTrumpers NewsBusters NewsGuard NewsHour NextEra "
    "NextGen NorthShore NowThis NurPhoto ObamaCare OfficeMax OnlyFans OpenAI OpenSecrets OpenStreetMap "
    "OpenTable OutFront OxyContin PayPal PepsiCo PerryUndem PetSmart PitchBook PlanetHollywood PlayStation "
    "PolitiFact PowerPoint PredictWise PricewaterhouseCoopers ProCon ProPublica PubMed QuarkXPress QuickBooks "
    "RadioShack RealClear RealClearPolitics RedState ScienceDaily SeaWorld ServiceNow SimpliSafe SkyBridge "
    "SkyNews SmartNews SmartTrip SoftBank SolarCity SoundCloud SpaceX StarTribune StockTwits StoryCorps "
    "StubHub SunPower SunTrust SuperPAC SurveyMonkey TargetSmart TaskRabbit TechCrunch TheBlaze TheStreet "
    "ThinkProgress TikTok TownHall TransCanada TripAdvisor TrumpCare TurboTax UnitedHealth UnitedHealthcare "
    "VandeHei VanDyke VanityFair VoteVets WalMart WashPost WebMD WeWork WhatsApp WikiLeaks WilmerHale WinRed "
    "WireImage WooCommerce WordPress WorldCom YouGov YouTube YouTuber YouTubers ZeroHedge ZipRecruiter"
).split()

_PLAIN = np.zeros(256, np.bool_)
"""Bytes at which no segment can end, whatever their neighbours: a … z, digits, spaces and other ASCII."""
_PLAIN[:128] = np.isin(CLASSES[:128], (LOWER, OTHER, DIGIT))
_PLAIN[32] = True

_ABBREVIATION_HASHES = np.sort(np.array([fnv(w.encode()) for w in _ABBREVIATIONS], np.uint64))
_CAMEL_HASHES = np.sort(np.array([fnv(w.encode()) for w in _CAMEL_WORDS], np.uint64))


_LONG = 1200
"""Bytes from which on a line has lost its breaks; only in such lines are the next two looked for."""

_BEGINNING = 400
"""Bytes of a text without a capital from which it counts as lower case."""

_SOURCES = "AP AFP EPA NPR CNN BBC Reuters Getty Shutterstock iStock Images".split()
"""Last words of a picture's credit, behind which the story goes on; but not before these:"""
_CREDITED = "Images Photo Photos Press via News".split()

_OPENINGS = (
    "advertisement: related: read: watch: video: videos: photo: photos: more: image-copyright image-caption "
    "image-source media-caption media-playback read-more read-also see-also sign-up continue-reading enlarge- "
    "this click-here story-continues your-support support-our must-watch also-read you-may lesen-sie mehr-zum "
    "lire-aussi lee-también lea-también leia-também leggi-anche lees-ook läs-mer läs-också czytaj-też czytaj- "
    "także zobacz-też"
).split()
"""First one or two words of furniture, in lower case: a colon ends those of one word."""

_COUNT = np.frombuffer(b"[+", np.uint8)
_CHARS = np.frombuffer(b" chars]", np.uint8)
_WINDOW = np.frombuffer(b"new window", np.uint8)

_CREDITED_HASHES = np.sort(np.array([fnv(w.encode()) for w in _CREDITED], np.uint64))
_SOURCE_HASHES = np.sort(np.array([fnv(w.encode()) for w in _SOURCES], np.uint64))
_OPENING_HASHES = np.sort(np.array([fnv(w.encode()) for w in _OPENINGS], np.uint64))


@dataclass(frozen=True)
class Segments:
    """Segments of a :class:`Buffer`, in reading order.

    Attributes
    ----------
    start, end : ndarray of int64, shape (n_segments,)
        Byte offsets into ``Buffer.data``, without the white space around the segment.
    joint : ndarray of uint8, shape (n_segments,)
        What separates it from the segment before: FIRST (it is the document's first), PARAGRAPH (an empty line),
        LINE (a line break), SENTENCE, GLUED (a lost space) or INLINE (a bullet).
    bounds : ndarray of int64, shape (n_documents + 1,)
        Segments of document ``i`` are ``bounds[i]:bounds[i + 1]``.
    """

    start: Offsets
    end: Offsets
    joint: Bytes
    bounds: Offsets

    def __len__(self) -> int:
        return len(self.start)


@njit(cache=True, nogil=True)
def _class_at(data, i, hi, classes):  # type: ignore[no-untyped-def]
    if i >= hi:
        return np.uint8(BREAK), 0
    code, size = decode(data, i, hi)
    return classes[code], size


@njit(cache=True, nogil=True)
def _is_abbreviation(data, lo, stop, abbreviations):  # type: ignore[no-untyped-def]
    """Whether the word that ends before the full stop at ``stop`` is an initial or an abbreviation."""
    i = stop
    inner = False
    value = FNV
    while i > lo and stop - i < 12:
        b = data[i - 1]
        if b == 46:
            inner = True
        elif not (65 <= b <= 90 or 97 <= b <= 122):
            break
        i -= 1
    n = stop - i
    if n == 0:
        return False
    if n == 1:
        return 65 <= data[i] <= 90
    if inner:
        return True
    for j in range(i, stop):
        b = data[j]
        value = (value ^ np.uint64(b + 32 if b <= 90 else b)) * PRIME
    return among(abbreviations, value)


@njit(cache=True, nogil=True)
def _is_name(data, lo, hi, i, camel):  # type: ignore[no-untyped-def]
    """Whether the capital letter within a word at ``i`` belongs to a name (McConnell, YouTube) or an address."""
    a = i  # at most 64 letters: hostile text without spaces would otherwise take quadratic time
    while a > lo and i - a < 64 and (65 <= data[a - 1] <= 90 or 97 <= data[a - 1] <= 122):
        a -= 1
    if a > lo and (data[a - 1] in (47, 64, 46, 35, 95, 45) or 48 <= data[a - 1] <= 57):  # / @ . # _ - digit
        return True
    left = i - a
    if left < 3:
        return True
    if left == 3 and data[a] == 77 and data[a + 1] == 97 and data[a + 2] == 99:
        return True
    b = i
    while b < hi and b - i < 64 and (65 <= data[b] <= 90 or 97 <= data[b] <= 122):
        b += 1
    if b < hi and data[b] in (64, 47):
        return True
    value = FNV
    for j in range(a, b):
        value = (value ^ np.uint64(data[j])) * PRIME
        if j >= i and among(camel, value):
            return True
    return False


@njit(cache=True, nogil=True)
def _is_long(data, i, hi):  # type: ignore[no-untyped-def]
    """Whether the line that begins at ``i`` has lost its breaks."""
    if hi - i < _LONG:
        return False
    j = i
    while j < i + _LONG and data[j] != 10:
        j += 1
    return j == i + _LONG


@njit(cache=True, nogil=True)
def _lacks_capitals(data, lo, hi):  # type: ignore[no-untyped-def]
    """Whether a text is in lower case, by its first letters: its sentences begin with small ones then."""
    letters = 0
    for i in range(lo, min(lo + _BEGINNING, hi)):
        if 65 <= data[i] <= 90:
            return False
        letters += 97 <= data[i] <= 122
    return 4 * letters > min(_BEGINNING, hi - lo)


@njit(cache=True, nogil=True)
def _stands_between_words(data, lo, at, hi):  # type: ignore[no-untyped-def]
    """Whether the full stop at ``at`` glues two words of four letters or more: no address, no abbreviation."""
    i = at
    while i > lo and at - i < 4 and 97 <= data[i - 1] <= 122:
        i -= 1
    j = at + 1
    while j < hi and j - at < 5 and 97 <= data[j] <= 122:
        j += 1
    return at - i == 4 and j - at == 5


@njit(cache=True, nogil=True)
def _ends_credit(data, lo, last, at, hi):  # type: ignore[no-untyped-def]
    """Whether a credit, as ``[Name/Agency]`` or ``Getty Images``, ends at ``last``, before the word at ``at``."""
    if data[last - 1] in (41, 93):
        opener = 40 if data[last - 1] == 41 else 91
        told = False
        for i in range(last - 2, max(lo, last - 160) - 1, -1):
            if data[i] == opener:
                return told
            told |= data[i] in (47, 58)  # / :
        return False
    i = last
    value = FNV
    while i > lo and last - i < 12 and data[i - 1] > 32 and data[i - 1] != 47:
        i -= 1
    for j in range(i, last):
        value = (value ^ np.uint64(data[j])) * PRIME
    if not among(_SOURCE_HASHES, value):
        return False
    value = FNV
    for j in range(at, min(at + 10, hi)):
        if not (65 <= data[j] <= 90 or 97 <= data[j] <= 122):
            break
        value = (value ^ np.uint64(data[j])) * PRIME
    return not among(_CREDITED_HASHES, value)


@njit(cache=True, nogil=True)
def _opens_furniture(data, i, hi):  # type: ignore[no-untyped-def]
    """Whether ``Read more``, ``Image caption`` or the like begins at ``i``."""
    value = FNV
    for j in range(i, min(i + 24, hi)):
        b = data[j]
        if b == 58:
            return among(_OPENING_HASHES, (value ^ np.uint64(58)) * PRIME)
        if b <= 32:
            b = 45
        elif 65 <= b <= 90:
            b += 32
        value = (value ^ np.uint64(b)) * PRIME
        if (j + 1 >= hi or data[j + 1] <= 32 or data[j + 1] == 58) and among(_OPENING_HASHES, value):
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
def _counts_the_rest(data, i, hi):  # type: ignore[no-untyped-def]
    """Whether ``[+1234 chars]``, with which NewsAPI cuts a text off, ends the text at ``hi`` from ``i`` on."""
    j = i + 2
    while j < hi and 48 <= data[j] <= 57:
        j += 1
    return _stands(data, i, i, hi, _COUNT) and _stands(data, j, i + 3, hi, _CHARS) and j + len(_CHARS) == hi


@njit(cache=True, nogil=True)
def _close(starts, ends, joints, n, begin, end, joint):  # type: ignore[no-untyped-def]
    starts[n], ends[n], joints[n] = begin, end, joint
    return n + 1


@njit(cache=True, nogil=True)
def _cut(data, lo, hi, classes, plain, abbreviations, camel, starts, ends, joints, n):  # type: ignore[no-untyped-def]
    """Cut document ``data[lo:hi]``; write segments from index n on, return the next free index."""
    first = n
    joint = np.uint8(FIRST)
    begin = np.int64(-1)
    last = lo  # end of the last byte that is not white space
    before = np.uint8(BREAK)  # class of the character before i
    before2 = np.uint8(BREAK)
    breaks = 0
    long = _is_long(data, lo, hi)
    small = _lacks_capitals(data, lo, hi)
    i = lo
    while i < hi:
        byte = data[i]
        if plain[byte] and byte != 32:  # a fast path for words; the code below would give the same result
            if begin < 0:
                begin = i
            j = i + 1
            while j < hi and plain[data[j]]:
                j += 1
            before2 = before if j == i + 1 else classes[data[j - 2]]
            before = classes[data[j - 1]]
            last = j
            while data[last - 1] == 32:
                last -= 1
            i = j
            continue
        if byte == 32:
            i += 1
            before2 = before
            before = np.uint8(SPACE)
            continue
        kind, size = _class_at(data, i, hi, classes)
        if kind == LOWER or kind == OTHER or kind == DIGIT:
            if begin < 0:
                begin = i
            i += size
            last = i
            before2 = before
            before = kind
            continue
        if kind == SPACE:
            i += size
            before2 = before
            before = kind
            continue
        if kind == BREAK:
            if begin >= 0:
                n = _close(starts, ends, joints, n, begin, last, joint)
                begin = -1
                breaks = 0
                joint = np.uint8(LINE)
            if data[i] != 13 or i + 1 >= hi or data[i + 1] != 10:
                breaks += 1
            if n > first and breaks >= 2:
                joint = np.uint8(PARAGRAPH)
            long = _is_long(data, i + size, hi)
            i += size
            before2 = before
            before = kind
            continue
        if kind == UPPER:
            if begin < 0:
                begin = i
            else:
                parted = np.uint8(FIRST)
                if before2 != SPACE and before2 != BREAK:
                    camel_case = before == LOWER and not _is_name(data, begin, hi, i, camel)
                    closed = before == CLOSER and before2 != UPPER and data[i - 1] != 39 and data[i - 1] != 34
                    parted = np.uint8(GLUED if camel_case or closed else FIRST)
                if (
                    parted == FIRST
                    and before == SPACE
                    and (
                        _stands(data, last - len(_WINDOW), begin, hi, _WINDOW)
                        or (
                            long and (_ends_credit(data, begin, last, i, hi) or _opens_furniture(data, i, hi))
                        )
                    )
                ):
                    parted = np.uint8(INLINE)
                if parted != FIRST:
                    n = _close(starts, ends, joints, n, begin, last, joint)
                    begin, joint, before = i, parted, np.uint8(BREAK)
            i += size
            last = i
            before2 = before
            before = kind
            continue
        if kind == BULLET:
            if begin >= 0 and (before == SPACE or size > 1):
                n = _close(starts, ends, joints, n, begin, last, joint)
                joint = np.uint8(INLINE)
                begin = -1
                before = np.uint8(BREAK)
            if begin < 0:
                begin = i
            i += size
            last = i
            before2 = before
            before = kind
            continue
        if kind == STOP or kind == WIDE_STOP:
            if begin < 0:
                begin = i
            dot = data[i] == 46
            at = i
            run = 0
            j = i
            closed = False
            k2 = kind
            while j < hi:  # go to the end of the run of full stops and closing quotes or brackets
                k2, s2 = _class_at(data, j, hi, classes)
                if k2 == STOP or k2 == WIDE_STOP:
                    run += 1
                elif k2 == CLOSER:
                    if closed and data[j] in (34, 39):  # a second straight quote opens the next sentence
                        break
                    closed = True
                else:
                    break
                j += s2
            last = j
            k2, s2 = _class_at(data, j, hi, classes)
            cut = np.uint8(255)
            if kind == WIDE_STOP and k2 != BREAK:
                cut = np.uint8(SENTENCE)
            elif k2 == SPACE:
                k = j
                k3 = k2
                while k < hi and k3 == SPACE:
                    k += s2
                    k3, s2 = _class_at(data, k, hi, classes)
                starter = k3 == UPPER or k3 == DIGIT or k3 == OPENER or k3 == CLOSER or k3 == BULLET
                starter = starter or (small and k3 == LOWER)
                if not starter and k < hi and k3 == OTHER:
                    starter = data[k] >= 0xD0 or data[k] in (64, 35, 45, 42)  # another script, @ # - *
                    starter = starter or data[k] == 0xE2
                if starter and not (
                    dot and run == 1 and not closed and _is_abbreviation(data, begin, at, abbreviations)
                ):
                    cut = np.uint8(SENTENCE)
            elif small and k2 == LOWER:
                if (closed and before == LOWER) or (
                    dot and run == 1 and _stands_between_words(data, begin, at, hi)
                ):
                    cut = np.uint8(GLUED)
            elif (k2 == UPPER or k2 == OPENER) and (
                closed or before == LOWER or (run == 1 and before == DIGIT)
            ):
                address = False
                if dot and run == 1 and not closed:
                    a = at
                    while a > begin and data[a - 1] > 32:
                        a -= 1
                        if data[a] in (47, 64) or (
                            data[a] == 46 and a > begin and data[a - 1] != 46 and a < at - 1
                        ):
                            address = True
                            break
                    if at - a == 3 and data[a] == 119 and data[a + 1] == 119 and data[a + 2] == 119:
                        address = True
                    address = address or _is_abbreviation(data, begin, at, abbreviations)
                if not address:
                    cut = np.uint8(GLUED)
            if cut != 255:
                n = _close(starts, ends, joints, n, begin, j, joint)
                begin = -1
                joint = cut
                before = np.uint8(BREAK)
                before2 = np.uint8(BREAK)
            else:
                before2 = before
                before = np.uint8(CLOSER) if closed else kind
                if closed:
                    before2 = np.uint8(STOP)
            i = j
            continue
        # closers and openers
        if begin >= 0 and data[i] == 91 and _counts_the_rest(data, i, hi):
            n = _close(starts, ends, joints, n, begin, last, joint)
            begin = -1
            joint = np.uint8(INLINE)
        if begin < 0:
            begin = i
        i += size
        last = i
        before2 = before
        before = kind
    if begin >= 0:
        n = _close(starts, ends, joints, n, begin, last, joint)
    return n


@njit(cache=True, nogil=True)
def _cut_all(data, offsets, classes, plain, abbreviations, camel, starts, ends, joints, bounds):  # type: ignore[no-untyped-def]
    n = np.int64(0)
    bounds[0] = 0
    for d in range(len(offsets) - 1):
        n = _cut(
            data, offsets[d], offsets[d + 1], classes, plain, abbreviations, camel, starts, ends, joints, n
        )
        bounds[d + 1] = n
    return n


def cut(buffer: Buffer) -> Segments:
    """Cut every document of ``buffer`` into segments.

    Examples
    --------
    >>> buffer = Buffer.of(["It makes all the difference.Russian President spoke."])
    >>> s = cut(buffer)
    >>> [buffer.text(a, b) for a, b in zip(s.start, s.end)]
    ['It makes all the difference.', 'Russian President spoke.']
    """
    # no two segments start less than two bytes apart
    room = int(buffer.offsets[-1] - buffer.offsets[0]) // 2 + len(buffer) + 1
    start, end = np.empty(room, np.int64), np.empty(room, np.int64)
    joint, bounds = np.empty(room, np.uint8), np.empty(len(buffer) + 1, np.int64)
    n = _cut_all(
        buffer.data, buffer.offsets, CLASSES, _PLAIN, _ABBREVIATION_HASHES, _CAMEL_HASHES, start, end, joint, bounds
    )  # fmt: skip
    return Segments(start[:n].copy(), end[:n].copy(), joint[:n].copy(), bounds)

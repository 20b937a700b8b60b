"""Forgeries: changes of a folder of results, each found by ``verify``, its ``--rerun`` or a signature.

``python tests/test_forgeries.py`` prints the table that docs/trust.md shows.
"""

import gzip
import hashlib
import json
import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from pyarrow import parquet

from toolkit import BoilerplateRemover, pipeline, report
from toolkit.boilerplate.templates import TemplateIndex
from toolkit.errors import DamagedError, ToolkitError
from toolkit.files import sha256, shipped
from toolkit.record import closed
from toolkit.report import Results
from toolkit.sharing import read_cleaning, share
from toolkit.verification import SIGNATURE, UNREAD, WIDE, _difference, verify

PAGE = Path(__file__).parent.parent / "docs" / "trust.md"
SETTINGS: dict[str, Any] = {"remove": ["promo", "notice"], "threshold": 0.6}


@dataclass
class Folder:
    """A folder of results and its inputs, in the hands of a forger."""

    home: Path

    @property
    def out(self):
        return self.home / "out"

    @property
    def record(self):
        return json.loads((self.out / "run.json").read_text("utf-8"))

    def write(self, record, *, close=False):
        text = json.dumps(closed(record) if close else record, indent=2, ensure_ascii=False)
        (self.out / "run.json").write_bytes(text.encode("utf-8", "backslashreplace"))

    def say(self, *path, value, close=False):
        """Change one value of the record; with ``close`` the closing digests are mended."""
        record = self.record
        at = record
        for name in path[:-1]:
            at = at[name]
        at[path[-1]] = value
        self.write(record, close=close)

    def edit(self, name, change, *, mend=False):
        """Change the table of a result; with ``mend`` its digest and the closing ones are mended."""
        path = self.out / name
        parquet.write_table(change(parquet.read_table(path)), path, compression="zstd")
        self.seal(name) if mend else None

    def seal(self, *names):
        record = self.record
        for name in names:
            where = record["environment"]["pages"] if name.startswith("report") else record["outputs"]
            where[name] = sha256(self.out / name)
        self.write(record, close=True)


def column(name, row, value):
    def change(table):
        values = table[name].to_pylist()
        values[row] = value(values[row]) if callable(value) else value
        where = table.schema.get_field_index(name)
        return table.set_column(where, name, pa.array(values, table.schema.field(where).type))

    return change


def swapped(one, other):
    def change(table):
        names = [{one: other, other: one}.get(name, name) for name in table.column_names]
        return table.rename_columns(names).select(table.column_names)

    return change


def lose_a_document(folder, _):
    """Take one document out of every table and mend counts, digests and record."""
    gone = parquet.read_table(folder.out / "cleaned.parquet")["doc_id"][0].as_py()
    for name in ("cleaned.parquet", "spans.parquet", "verdicts.parquet", "topics.parquet"):
        folder.edit(name, lambda table: table.filter(pa.compute.not_equal(table["doc_id"], gone)))
    mend_all(folder)


def mend_all(folder):
    """Make the record fit the tables, as someone does who has read the toolkit."""
    record = folder.record
    for check in verify(folder.out):
        if check.part == "counts" and not check.holds:
            *group, name = check.name.split(": ")
            at = record["counts"][group[0]] if group else record["counts"]
            if check.found == "(absent)":
                del at[name]
            else:
                at[name] = int(check.found.replace(",", ""))
    record["counts"]["outside"] = min(record["counts"]["outside"], record["counts"]["kept"])
    for name in record["outputs"]:
        record["outputs"][name] = sha256(folder.out / name)
    folder.write(record, close=True)


def append(path, data=b" "):
    path.write_bytes(path.read_bytes() + data)


def linked(path):
    path.rename(path.parent.parent / f"elsewhere-{path.name}")
    path.symlink_to(path.parent.parent / f"elsewhere-{path.name}")


def doubled_key(folder, _):
    path = folder.out / "run.json"
    path.write_text(path.read_text("utf-8").replace('"seeds"', '"counts": {}, "seeds"', 1), "utf-8")


def invented(folder, _):
    """Remove nothing from the first article, with all else in agreement: a text that nobody can tell from a run's."""
    table = parquet.read_table(folder.out / "cleaned.parquet").to_pandas()
    spans = parquet.read_table(folder.out / "spans.parquet")
    victim = spans["doc_id"][0].as_py()
    folder.edit("spans.parquet", lambda t: t.filter(pa.compute.not_equal(t["doc_id"], victim)))
    row = table.index[table["doc_id"] == victim][0]
    folder.edit("cleaned.parquet", column("clean_text", row, table["text"][row]))
    mend_all(folder)


def all_of_it(folder, _):
    """Run anew on changed inputs and put the results in place of the old ones."""
    shutil.rmtree(folder.out / "report_tables")
    path = folder.home / "news" / "a.jsonl"
    path.write_text(path.read_text("utf-8").replace("the ", "a "), "utf-8")
    pipeline.run([path, path.with_name("b.jsonl")], folder.out, force=True, **SETTINGS)


def table(name, change):
    return lambda folder, mend: folder.edit(f"{name}.parquet", change, mend=mend)


def record(*path, value):
    return lambda folder, mend: folder.say(*path, value=value, close=mend)


def section(name, change):
    return lambda folder, mend: folder.write({**folder.record, name: change(folder.record[name])}, close=mend)


def counts(**values):
    return section("counts", lambda known: known | values)


def files(change):
    return lambda folder, _: change(folder.out)


def news(change):
    return lambda folder, _: change(folder.home / "news")


def gone(name):
    """Take a result out of the folder and out of the record."""

    def forge(folder, mend):
        (folder.out / name).unlink()
        unlisted(name)(folder, mend)

    return forge


def unlisted(name):
    return section("outputs", lambda known: {k: v for k, v in known.items() if k != name})


def exchange(one, other):
    aside = one.with_name(".aside")
    one.rename(aside)
    other.rename(one)
    aside.rename(other)


def put_in(folder, _):
    (folder.out / "more.parquet").write_bytes(b"x")
    folder.seal("more.parquet")


def beneath(folder, _):
    """Take a file for a folder of pages, with a page in it that is absent as recorded."""
    (folder.out / "more.bin").write_bytes(b"x")
    folder.say("environment", "pages", "more.bin/x.csv", value="(absent)", close=True)


def named_as_found(forge, *path, value):
    """Forge, and record the words that verify has for what it then finds."""

    def both(folder, mend):
        forge(folder, mend)
        folder.say(*path, value=value, close=mend)

    return both


def without_duplicates(folder, digest):
    folder.say("counts", "duplicates", value={})
    folder.say("outputs", "duplicates.parquet", value=digest, close=True)


def damaged_duplicates(folder, _):
    path = folder.out / "duplicates.parquet"
    path.write_bytes(b"PAR1PAR1")
    without_duplicates(folder, sha256(path))


def folder_of_duplicates(folder, _):
    path = folder.out / "duplicates.parquet"
    path.unlink()
    path.mkdir()
    (path / "x.csv").write_bytes(b"x")
    folder.say("environment", "pages", "duplicates.parquet/x.csv", value=sha256(path / "x.csv"))
    without_duplicates(folder, "0" * 64)


def another_report(folder, _):
    append(folder.out / "report.html")
    folder.seal("report.html")


def another_page(folder, _):
    (folder.out / "findings.html").write_bytes(b"x")
    record = folder.record
    record["environment"]["pages"]["findings.html"] = sha256(folder.out / "findings.html")
    folder.write(record, close=True)


def another_input(folder, _):
    path = folder.home / "news" / "b.jsonl"
    append(path, b'{"text": "Snow fell on the port."}\n')
    known = folder.record["inputs"]
    known[1] |= {"sha256": sha256(path), "bytes": path.stat().st_size}
    folder.write(folder.record | {"inputs": known}, close=True)


def numbered(folder, _):
    """Give a third input the name under which verify would list the second of two of one name."""
    news = folder.home / "news"
    (news / "b.jsonl").rename(news / "a.jsonl (2)")
    record = folder.record
    a, b = record["inputs"]
    record["inputs"] = [{**b, "name": "a.jsonl (2)", "sha256": "0" * 64}, a, {**b, "name": "a.jsonl"}]
    record["environment"]["inputs"] = ["../news/a.jsonl", "../news/a.jsonl (2)"]
    folder.write(record, close=True)


def ungrouped(known):
    """Write the counts of a group as counts by themselves, under the names that verify prints."""
    return known | {"removed": {}} | {f"removed: {kind}": n for kind, n in known["removed"].items()}


def wider(table):
    return table.append_column("checked", pa.array(["by hand"] * len(table)))


FOUND, RERUN, SIGNED, REFUSED = "verify", "verify --rerun", "a signature", "refused"
NO, YES = False, True
LONG_AGO = "2001-01-01T00:00:00+00:00"
FORGERIES = [
    # what is forged, whether the digests are mended, what finds it, how it is done
    ("a character of a clean text", NO, FOUND, table("cleaned", column("clean_text", 3, lambda t: t + "!"))),
    ("a clean text", YES, FOUND, table("cleaned", column("clean_text", 3, "Gone."))),
    ("a text", YES, FOUND, table("cleaned", column("text", 3, "Gone."))),
    ("a title", YES, RERUN, table("cleaned", column("title", 3, "Gone"))),
    ("the end of a span", NO, FOUND, table("spans", column("end", 0, lambda n: n - 1))),
    ("the end of a span", YES, FOUND, table("spans", column("end", 0, lambda n: n - 1))),
    ("a span beyond its text", YES, FOUND, table("spans", column("end", 0, 10**9))),
    ("the score of a span", YES, RERUN, table("spans", column("score", 0, 0.99))),
    ("a topic", YES, FOUND, table("topics", column("name", 0, lambda name: f"not {name}"))),
    ("the probability of a topic", YES, RERUN, table("topics", column("probability", 0, 0.999))),
    ("a verdict", YES, FOUND, table("verdicts", column("verdict", 0, "wall"))),
    ("a reason in the quarantine", YES, RERUN, table("quarantine", column("reason", 0, "empty"))),
    ("a row of the quarantine left out", YES, FOUND, table("quarantine", lambda t: t.slice(1))),
    ("a row of the quarantine doubled", YES, FOUND, table("quarantine", lambda t: pa.concat_tables([t, t]))),
    ("text and clean text swapped", YES, FOUND, table("cleaned", swapped("text", "clean_text"))),
    ("start and end of spans swapped", YES, FOUND, table("spans", swapped("start", "end"))),
    ("publisher and title swapped", YES, RERUN, table("cleaned", swapped("publisher", "title"))),
    ("documents in another order", YES, FOUND, table("cleaned", lambda t: t.take([1, 0, *range(2, len(t))]))),
    ("a column dropped", YES, FOUND, table("spans", lambda t: t.drop_columns(["kind"]))),
    ("a column more", YES, RERUN, table("cleaned", wider)),
    ("a document lost from every table", YES, RERUN, lose_a_document),
    ("spans and a clean text that agree", YES, RERUN, invented),
    ("a result gone", NO, FOUND, files(lambda out: (out / "topics.parquet").unlink())),
    ("a result gone from folder and record", YES, FOUND, gone("topics.parquet")),
    ("a result missing from the record", YES, FOUND, unlisted("spans.parquet")),
    ("duplicates gone from folder and record", YES, FOUND, gone("duplicates.parquet")),
    ("a result renamed", NO, FOUND, files(lambda out: (out / "topics.parquet").rename(out / "t.parquet"))),
    ("a result copied", NO, FOUND, files(lambda out: shutil.copy(out / "topics.parquet", out / "t.parquet"))),
    (
        "two results exchanged",
        NO,
        FOUND,
        files(lambda out: exchange(out / "topics.parquet", out / "spans.parquet")),
    ),
    ("a file more", NO, FOUND, files(lambda out: (out / "cleaned_final.parquet").write_bytes(b"x"))),
    ("a file more, in the record too", YES, FOUND, put_in),
    (
        "a file more, recorded as no file of a run",
        YES,
        FOUND,
        named_as_found(put_in, "outputs", "more.parquet", value="(no file of a run)"),
    ),
    ("a file more, recorded as a folder of an absent page", YES, FOUND, beneath),
    ("a folder more", NO, FOUND, files(lambda out: (out / "old").mkdir())),
    ("the record among the outputs", YES, FOUND, record("outputs", "run.json", value="0" * 64)),
    ("a folder of pages among the outputs", YES, FOUND, record("outputs", "report_tables", value="0" * 64)),
    ("a folder with a page in place of the duplicates", YES, FOUND, folder_of_duplicates),
    ("duplicates that are no table, and counts without any", YES, FOUND, damaged_duplicates),
    ("a link in place of a result", NO, FOUND, files(lambda out: linked(out / "cleaned.parquet"))),
    (
        "a link in place of the report, recorded as a link",
        YES,
        FOUND,
        named_as_found(
            files(lambda out: linked(out / "report.html")),
            "environment",
            "pages",
            "report.html",
            value="(a link)",
        ),
    ),
    ("a place outside among the outputs", YES, FOUND, record("outputs", "../news/a.jsonl", value="0" * 64)),
    ("a byte behind the end of a result", NO, FOUND, files(lambda out: append(out / "spans.parquet"))),
    ("a figure in the report", NO, FOUND, files(lambda out: append(out / "report.html"))),
    ("a cell of the report's notebook", NO, FOUND, files(lambda out: append(out / "report.ipynb"))),
    ("another report", YES, RERUN, another_report),
    (
        "a table of the report",
        NO,
        FOUND,
        files(lambda out: append(next((out / "report_tables").glob("*.csv")))),
    ),
    ("a table more", NO, FOUND, files(lambda out: (out / "report_tables" / "14.csv").write_bytes(b"x"))),
    ("a page of another name, in the record too", YES, SIGNED, another_page),
    ("the report gone", NO, FOUND, files(lambda out: (out / "report.html").unlink())),
    ("a count", NO, FOUND, record("counts", "removed", "promo", value=7)),
    ("a count", YES, FOUND, record("counts", "removed", "promo", value=7)),
    ("kept and quarantined exchanged", YES, REFUSED, counts(kept=1, quarantined=12)),
    ("documents of a language", YES, FOUND, counts(languages={"de": 12})),
    ("documents outside the promised loss", YES, RERUN, counts(outside=3)),
    ("a count more", YES, FOUND, counts(checked_by_hand=12)),
    ("counts of a group as counts by themselves", YES, FOUND, section("counts", ungrouped)),
    ("a parameter", NO, FOUND, record("parameters", "threshold", value=0.9)),
    ("a parameter", YES, RERUN, record("parameters", "threshold", value=0.999999)),
    ("a kind taken out of remove", YES, RERUN, record("parameters", "remove", value=["notice"])),
    ("a parameter that there is not", YES, RERUN, record("parameters", "magic", value=1)),
    ("0 in place of false", YES, RERUN, record("parameters", "strict", value=0)),
    ("a seed", NO, FOUND, record("seeds", value=[7])),
    ("a seed", YES, RERUN, record("seeds", value=[7])),
    ("a version", YES, FOUND, record("versions", "numpy", value="0.1")),
    ("all versions left out", YES, REFUSED, section("versions", lambda known: {})),
    ("a version left out", YES, FOUND, section("versions", lambda known: known.pop("numpy") and known)),
    ("the digest of a model", YES, FOUND, record("models", "boilerplate.npz", value="0" * 64)),
    (
        "a model that there is not, recorded as absent",
        YES,
        FOUND,
        record("models", "m.npz", value="(absent)"),
    ),
    ("a decision put in", YES, FOUND, record("decisions", value={"0" * 16: "keep"})),
    ("a section more", YES, REFUSED, record("checked", value="by hand")),
    ("a line more on the machine", YES, REFUSED, record("environment", "checked", value="by hand")),
    ("a line more on the report", YES, REFUSED, record("environment", "report", "checked", value="by hand")),
    ("a line more on an input", YES, REFUSED, record("inputs", 0, "checked", value="by hand")),
    ("figures of a certificate", YES, SIGNED, record("certificate", value={"article_lost": 0})),
    ("the machine", YES, SIGNED, record("environment", "platform", value="Amiga")),
    ("the closing digest", NO, FOUND, record("digest", value="0" * 64)),
    ("the time of the run", NO, FOUND, record("environment", "started", value=LONG_AGO)),
    ("the time of the run", YES, SIGNED, record("environment", "started", value=LONG_AGO)),
    ("a key that stands twice", NO, REFUSED, doubled_key),
    ("a link in place of the record", NO, REFUSED, files(lambda out: linked(out / "run.json"))),
    ("an input that grew", NO, FOUND, news(lambda place: append(place / "a.jsonl", b"\n"))),
    ("an input gone", NO, FOUND, news(lambda place: (place / "b.jsonl").unlink())),
    ("two inputs exchanged", NO, FOUND, news(lambda place: exchange(place / "a.jsonl", place / "b.jsonl"))),
    ("the digest of an input", YES, FOUND, record("inputs", 0, "sha256", value="0" * 64)),
    ("the size of an input", YES, FOUND, record("inputs", 0, "bytes", value=7)),
    ("inputs in another order", YES, FOUND, section("inputs", lambda known: known[::-1])),
    ("an input doubled", YES, FOUND, section("inputs", lambda known: [*known, known[0]])),
    (
        "an input that there is not, recorded as absent",
        YES,
        FOUND,
        section("inputs", lambda known: [*known, {"name": "c", "bytes": None, "sha256": "(absent)"}]),
    ),
    ("an input more, under the number of another", YES, FOUND, numbered),
    ("an input left out", YES, FOUND, section("inputs", lambda known: known[:1])),
    ("an input and its digest", YES, RERUN, another_input),
    ("inputs, results and record made anew", YES, SIGNED, all_of_it),
]
"""Changes of a folder of results; what only a signature finds is out of reach of digests."""


@pytest.fixture(scope="module")
def keys(tmp_path_factory):
    """A key, and the file of allowed signers that names it."""
    place = tmp_path_factory.mktemp("keys")
    key = place / "key"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "", "-f", str(key)], check=True)
    public = (place / "key.pub").read_text()
    (place / "allowed").write_text(f'ada@example.org namespaces="news-toolkit" {public}')
    return key, place / "allowed"


def sign(path, key, namespace="news-toolkit"):
    path.with_name(path.name + ".sig").unlink(missing_ok=True)
    subprocess.run(
        ["ssh-keygen", "-q", "-Y", "sign", "-f", str(key), "-n", namespace, str(path)],
        check=True,
        capture_output=True,
    )


@pytest.fixture(scope="module")
def original(tmp_path_factory, keys):
    """Inputs, results, report and signature of twelve articles and a broken record."""
    home = tmp_path_factory.mktemp("original")
    lines = gzip.decompress((shipped("sample") / "articles.jsonl.gz").read_bytes()).decode().splitlines()[:12]
    (home / "news").mkdir()
    (home / "news" / "a.jsonl").write_text("\n".join([*lines[:8], "no JSON", ""]), "utf-8")
    (home / "news" / "b.jsonl").write_text("\n".join([*lines[8:], ""]), "utf-8")
    pipeline.run([home / "news" / "a.jsonl", home / "news" / "b.jsonl"], home / "out", **SETTINGS)
    report.render(home / "out")
    sign(home / "out" / "run.json", keys[0])
    return home


def holds(folder, allowed=None, *, rerun=False):
    return not verify(folder.out, allowed_signers=allowed, rerun=rerun).differences


def test_every_forgery_is_found_by_what_is_named_and_by_nothing_cheaper(
    original, keys, tmp_path, monkeypatch
):
    pages = {
        name: (original / "out" / name).read_bytes()
        for name in Folder(original).record["environment"]["pages"]
    }

    # the report that a rerun makes is the same: made once for real below, to spare a kernel each time
    def render(folder, **_):
        (folder / "report_tables").mkdir()
        for name, raw in pages.items():
            (folder / name).write_bytes(raw)

    monkeypatch.setattr(report, "render", render)
    missed = []
    for number, (what, mend, means, forge) in enumerate(FORGERIES):
        shutil.copytree(original, tmp_path / str(number), symlinks=True)
        folder = Folder(tmp_path / str(number))
        forge(folder, mend)
        try:
            if holds(folder):
                found = SIGNED if means == SIGNED or holds(folder, rerun=True) else RERUN
                if found == SIGNED and holds(folder, keys[1]):
                    found = "nothing"
            else:
                found = FOUND
        except ToolkitError as error:
            found = REFUSED if "\n" not in str(error) else str(error)
        if found != means:
            missed.append(f"{what} (mended: {mend}): {found}, not {means}")
    assert not missed, "\n".join(missed)
    assert len(FORGERIES) >= 37


def test_a_sound_folder_holds_in_every_way_report_and_signature_included(original, keys):
    assert holds(Folder(original), keys[1], rerun=True)


def test_white_space_of_the_record_is_no_forgery(original, tmp_path):
    shutil.copytree(original, tmp_path / "home")
    folder = Folder(tmp_path / "home")
    (folder.out / "run.json").write_text(json.dumps(folder.record, sort_keys=True), "utf-8")
    assert holds(folder)


def test_what_a_changed_record_says_is_neither_reported_nor_shared(original, tmp_path):
    shutil.copytree(original, tmp_path / "home")
    folder = Folder(tmp_path / "home")
    folder.say("counts", "removed", "promo", value=7)
    for job in (Results, report.render, lambda out: share(out, tmp_path / "c.parquet")):
        with pytest.raises(DamagedError, match=r"run\.json: was changed; "):
            job(folder.out)


def test_a_signature_counts_only_from_an_allowed_signer_for_this_purpose(original, keys, tmp_path):
    shutil.copytree(original, tmp_path / "home")
    folder = Folder(tmp_path / "home")

    def told(allowed=keys[1]):
        return [
            check.found for check in verify(folder.out, allowed_signers=allowed) if check.part == "signature"
        ]

    assert told() == ["good"]
    assert "ada@example.org" in str(verify(folder.out, allowed_signers=keys[1])[-1].name)
    path = folder.out / "run.json"
    signed = path.read_bytes()
    path.write_bytes(signed.replace(b"\n", b"\r\n"))
    assert told() != ["good"]
    path.write_bytes(signed)
    other = tmp_path / "other"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(other)], check=True)
    sign(folder.out / "run.json", other)
    assert told() != ["good"]
    sign(folder.out / "run.json", keys[0], namespace="file")
    assert told() != ["good"]
    for make in (os.mkfifo, lambda place: place.symlink_to("/dev/zero")):  # neither is waited for
        (folder.out / SIGNATURE).unlink()
        make(folder.out / SIGNATURE)
        assert told() == ["a folder, pipe or device; not read"]
    (folder.out / SIGNATURE).unlink()
    assert told() != ["good"]
    with pytest.raises(ToolkitError, match="no such file"):
        told(tmp_path / "nobody")


def test_damaged_files_of_results_are_reported_in_one_line(original, tmp_path):
    """Each file cut off, with bytes changed, or replaced by JSON of other types, before verify, Results and share."""
    faults = []
    texts = [
        b"",
        b"null",
        b"[]",
        b"{}",
        b'{"counts": null}',
        b"\xff\xfe",
        b"[" * 10_000,
        b'"\\ud800"',
        b"NaN",
        b"\0",
    ]
    for path in sorted(path for path in (original / "out").iterdir() if path.is_file()):
        raw = path.read_bytes()
        harms = [raw[: n * len(raw) // 5] for n in range(5)] + texts
        for n in range(12):
            place = (2 * n + 1) * len(raw) // 24
            harms.append(raw[:place] + bytes([raw[place] ^ (1 << n % 8)]) + raw[place + 1 :])
        if path.name == "run.json":
            record = json.loads(raw)
            for name in record:
                harms += [
                    json.dumps({**record, name: value}).encode()
                    for value in (None, 3, "x", [], {}, [[]], {"a": []})
                ]
                harms.append(json.dumps({k: v for k, v in record.items() if k != name}).encode())
            around = record["environment"]
            for name in around:
                less = {k: v for k, v in around.items() if k != name}
                harms.append(json.dumps(record | {"environment": less}).encode())
        folder = Folder(tmp_path / path.name / "home")
        shutil.copytree(original, folder.home)
        for number, harm in enumerate(harms):
            (folder.out / path.name).write_bytes(harm)
            faults += [f"{path.name} {number}: {fault}" for fault in told_badly(folder, tmp_path)]
    assert not faults, "\n".join(faults[:20])


def test_a_name_with_line_breaks_takes_one_line(original, tmp_path):
    """It would write a line of its own among those of verify."""
    name = "x\noutputs   6 of 6 as recorded"
    folder = Folder(tmp_path / "home")
    shutil.copytree(original, folder.home)
    (folder.out / name).write_bytes(b"x")
    folder.say("outputs", name, value="7\n7", close=True)
    told = str(verify(folder.out)).splitlines()
    assert [line for line in told if line.startswith("outputs")] == [told[1]]
    assert not list(told_badly(folder, tmp_path))


def told_badly(folder, place):
    for job in (
        lambda: verify(folder.out),
        lambda: Results(folder.out).about(),
        lambda: share(folder.out, place / "c.parquet"),
    ):
        try:
            job()
        except ToolkitError as error:
            if "\n" in str(error) or not str(error).isprintable():
                yield str(error)
        except Exception as error:
            yield f"{type(error).__name__}: {error}"


@pytest.mark.parametrize("text", [b"", b"[]", b"{}", b'{"article_lost": "x"}', b"\xff", b'{"n": [[]]}'])
def test_a_damaged_certificate_is_reported_in_one_line(original, tmp_path, text):
    shutil.copytree(original / "out", tmp_path / "out")
    (tmp_path / "out" / "certificate.json").write_bytes(text)
    with pytest.raises(ToolkitError, match=r"certificate\.json: ") as caught:
        Results(tmp_path / "out").methods()
    assert "\n" not in str(caught.value)


def test_mended_tables_of_any_type_are_differences_and_no_traceback(original, tmp_path):
    """A forger's tables need not have our columns."""
    folder = Folder(tmp_path / "home")
    shutil.copytree(original, folder.home)
    odd = [
        pa.table({"doc_id": pa.array([1, 2])}),
        pa.table(
            {"doc_id": ["a"], "text": [None], "clean_text": [b"\xff"], "lang": [[1]], "published": ["x"]}
        ),
        pa.table({"doc_id": ["a"], "start": ["x"], "end": [None], "kind": [3]}),
        pa.table({}),
        pa.table({"doc_id": ["a", "a"], "verdict": [None, None], "name": [[], []]}),
    ]
    for name in pipeline.RESULTS:
        kept = (folder.out / name).read_bytes()
        for table in odd:
            parquet.write_table(table, folder.out / name)
            folder.seal(name)
            assert verify(folder.out).differences
        (folder.out / name).write_bytes(kept)


def test_tables_of_any_type_are_compared_with_those_of_a_rerun(original, tmp_path):
    """A rerun compares a forger's table with its own."""
    old = original / "out" / "spans.parquet"
    table = parquet.read_table(old)
    lists = table.set_column(1, "start", pa.array([[1, 2]] * len(table)))
    for odd in (lists, table.rename_columns(["a"] * table.num_columns)):
        parquet.write_table(odd, tmp_path / "odd.parquet")
        assert _difference(tmp_path / "odd.parquet", old).startswith(
            "other bytes, and no table with the same"
        )


def test_nothing_outside_the_folder_is_read(original, tmp_path):
    """Names in a record that lead elsewhere are no files of it, a pipe in place of a result is not waited for."""
    folder = Folder(tmp_path / "home")
    shutil.copytree(original, folder.home)
    for name in ("/dev/zero", "../../../dev/zero", "", "."):
        folder.write({**folder.record, "outputs": {**folder.record["outputs"], name: "0" * 64}}, close=True)
        assert not holds(folder)
        with pytest.raises(ToolkitError):
            Results(folder.out)
    (folder.out / "topics.parquet").unlink()
    os.mkfifo(folder.out / "topics.parquet")
    assert not holds(folder)


def test_a_rerun_writes_and_reads_nothing_that_the_record_names(original, tmp_path):
    """A stranger's record is verified: its report goes nowhere else, and no file of ours is compared with."""
    folder = Folder(tmp_path / "home")
    shutil.copytree(original, folder.home)
    mine = tmp_path / "mine.html"
    mine.write_text("mine")
    shutil.copy(folder.out / "spans.parquet", tmp_path / "spans.parquet")
    record = folder.record
    elsewhere = {**record["environment"], "report": {"page": str(mine)}}
    folder.write(record | {"environment": elsewhere}, close=True)
    with pytest.raises(DamagedError, match="unknown part 'page'"):
        verify(folder.out, rerun=True)
    record["outputs"]["../../spans.parquet"] = "0" * 64
    folder.write(record, close=True)
    told = {check.name: check.found for check in verify(folder.out, rerun=True) if check.part == "rerun"}
    assert told["../../spans.parquet"] == "no file of a run"
    assert told["report.html"] == "the same bytes"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["home", "mine.html", "spans.parquet"]
    assert mine.read_text() == "mine"
    for name, value in (
        ("columns", ["a"]),
        ("columns", 5),
        ("remove", [[1]]),
        ("lang", 5),
    ):
        folder.say("parameters", name, value=value, close=True)
        (check,) = (check for check in verify(folder.out, rerun=True) if check.part == "rerun")
        assert "\n" not in check.found


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("versions", "pandas"), "\ud800"),
        (("counts", "topics"), {"sport": -1}),
        (("counts", "languages"), {"en": 13}),
        (("counts", "duplicates"), {"exact": 8, "near": 8, "groups": 2}),
        (("counts", "halved"), 13),
        (("inputs", 0, "bytes"), -1),
    ],
)
def test_a_record_of_values_that_no_run_has_is_refused(original, tmp_path, path, value):
    """A report draws intervals of them, and writes them out."""
    folder = Folder(tmp_path / "home")
    shutil.copytree(original, folder.home)
    folder.say(*path, value=value, close=True)
    with pytest.raises(DamagedError, match="not the record of a run") as caught:
        Results(folder.out)
    assert str(caught.value).isprintable()


def test_an_input_whose_name_is_no_utf_8_is_recorded_and_found_again(tmp_path):
    path = os.path.join(os.fsencode(tmp_path), b"\xff.jsonl")  # noqa: PTH118 - bytes
    with open(path, "wb") as file:  # noqa: PTH123
        file.write(b'{"text": "It rained all day in the port."}\n')
    assert pipeline.run(os.fsdecode(path), tmp_path / "out").kept == 1
    assert not verify(tmp_path / "out", rerun=True).differences


@pytest.mark.parametrize("name", ["threshold", "max_article_loss"])
@pytest.mark.parametrize("value", ["x", [], {}, None, 10**400, 1 << 63])
def test_a_share_of_another_type_is_no_record(original, tmp_path, name, value):
    """The paragraph on the method of a report writes it as a number."""
    folder = Folder(tmp_path / "home")
    shutil.copytree(original, folder.home)
    folder.say("parameters", name, value=value, close=True)
    for job in (verify, Results, lambda out: share(out, tmp_path / "c.parquet")):
        with pytest.raises(DamagedError, match=rf"parameters\.{name} is ") as caught:
            job(folder.out)
        assert "\n" not in str(caught.value)


def test_the_places_of_a_record_do_not_lead_verify_through_the_disk(original, tmp_path):
    """Whoever wrote the record named them: no walk without bound, and nothing that is read without end."""
    folder = Folder(tmp_path / "home")
    shutil.copytree(original, folder.home)
    deep = tmp_path / "deep"
    for n in range(120):
        (deep / str(n)).mkdir(parents=True)
        for m in range(120):
            (deep / str(n) / f"{m}.jsonl").touch()
    for place in (deep, f"{deep}/**/*", f"{deep}/*/*", f"{deep}/**/*.none", "/**/*"):
        folder.say("environment", "inputs", value=[str(place)], close=True)
        found = {check.name: check.found for check in verify(folder.out, rerun=True).differences}
        assert found[str(folder.out / place)] == WIDE
        assert found["run"] == "not done; the inputs are not those of the run"
    os.mkfifo(folder.home / "pipe.jsonl")
    endless = {
        "pipe.jsonl": "../pipe.jsonl",
        "zero": "/dev/zero",
        "kmsg": "/proc/kmsg",
        "maps": "/proc/self/maps",
    }
    for name, place in endless.items():
        if not (folder.out / place).exists():
            continue
        for known in ({"bytes": None, "sha256": None}, {"bytes": 0, "sha256": EMPTY}):
            folder.write(folder.record | {"inputs": [{"name": name, **known}]})
            folder.say("environment", "inputs", value=[place], close=True)
            found = {check.name: check.found for check in verify(folder.out, rerun=True).differences}
            assert found[name] == UNREAD
            assert "run" in found


EMPTY = hashlib.sha256().hexdigest()


def test_a_signature_that_was_not_checked_is_said_to_be_so(original, keys, tmp_path):
    """It may hold anything; two folders that differ in it alone are as recorded."""
    folder = Folder(tmp_path / "home")
    shutil.copytree(original, folder.home)
    for said in (b"anything", b""):
        (folder.out / SIGNATURE).write_bytes(said)
        assert holds(folder)
        assert "\nsignature not checked, it may hold anything; " in str(verify(folder.out))
        assert not holds(folder, keys[1])
    (folder.out / SIGNATURE).unlink()
    assert "signature" not in str(verify(folder.out))


def test_an_input_that_changes_while_it_is_read_is_reported_and_its_parts_are_not_used(tmp_path, monkeypatch):
    """The digest is taken before; what is read after it has grown must not pass for what was digested."""
    from toolkit.jobs import parts

    path, real = tmp_path / "a.jsonl", parts.look
    lines = [json.dumps({"id": str(n), "text": f"It rained on day {n}."}) + "\n" for n in range(6)]
    path.write_text("".join(lines[:4]), "utf-8")

    def look(*args, **options):
        path.write_text("".join(lines), "utf-8")
        return real(*args, **options)

    monkeypatch.setattr(parts, "look", look)
    for n_jobs in (1, 2):
        path.write_text("".join(lines[:4]), "utf-8")
        with pytest.raises(ToolkitError, match=r"a\.jsonl: changed while it was read"):
            pipeline.run(path, tmp_path / "out", rows=1, n_jobs=n_jobs)
        assert not (tmp_path / "out" / "run.json").exists()
        assert not (tmp_path / "out" / ".partial").exists()
    monkeypatch.undo()
    assert pipeline.run(path, tmp_path / "out").kept == 6
    assert not verify(tmp_path / "out", rerun=True).differences


def test_other_decisions_after_a_kill_start_the_run_again(original, tmp_path, monkeypatch):
    path, news = tmp_path / "decisions.jsonl", original / "news" / "b.jsonl"
    first = parquet.read_table(original / "out" / "spans.parquet")["template_id"].drop_null()[
        :1
    ].to_pylist() or ["0" * 16]

    def decide(verdict):
        path.write_text(json.dumps({"template_id": first[0], "verdict": verdict}) + "\n", "utf-8")

    decide("promo")
    with monkeypatch.context() as patch:
        patch.setattr(pipeline, "record", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            pipeline.run(news, tmp_path / "out", decisions=path)
    decide("keep")
    pipeline.run(news, tmp_path / "out", decisions=path)
    pipeline.run(news, tmp_path / "again", decisions=path)
    for name in pipeline.RESULTS:
        assert (tmp_path / "out" / name).read_bytes() == (tmp_path / "again" / name).read_bytes()
    assert not verify(tmp_path / "out", rerun=True).differences


DECISIONS = b'{"template_id": "00000000000000aa", "verdict": "keep"}\n{"text": "Share on Facebook", "verdict": "keep"}'


def test_decisions_are_what_their_file_said_not_where_it_is(original, tmp_path):
    path, news = tmp_path / "decisions.jsonl", original / "news" / "b.jsonl"
    path.write_bytes(b"\xef\xbb\xbf" + DECISIONS)
    pipeline.run(news, tmp_path / "out", decisions=path)
    record = json.loads((tmp_path / "out" / "run.json").read_text("utf-8"))
    assert record["decisions"] == {"00000000000000aa": "keep", "Share on Facebook": "keep"}
    path.write_bytes(
        b"\n".join(reversed(DECISIONS.split(b"\n"))) + b"\n\n"
    )  # the same decisions, other bytes
    assert not verify(tmp_path / "out", decisions=path).differences
    path.write_bytes(DECISIONS.replace(b"keep", b"promo"))
    assert [c.name for c in verify(tmp_path / "out", decisions=path).differences] == ["decisions"]
    path.unlink()
    assert not verify(tmp_path / "out", rerun=True).differences  # the record holds them
    shared = share(tmp_path / "out", tmp_path / "c.parquet")
    said = read_cleaning(shared).about["record"]["decisions"]
    assert list(said.values()) == ["keep", "keep"]
    assert "Share on Facebook" not in str(said)


def test_a_saved_remover_carries_its_decisions_and_reads_no_file(tmp_path):
    path = tmp_path / "decisions.jsonl"
    path.write_bytes(DECISIONS)
    BoilerplateRemover(decisions=path).save(tmp_path / "r.parquet")
    path.unlink()
    assert BoilerplateRemover.load(tmp_path / "r.parquet").decisions["Share on Facebook"] == "keep"
    for elsewhere in (
        "/dev/zero",
        str(tmp_path / "decisions.jsonl"),
        3,
        {"a": "nonsense"},
        {"\ud800": "keep"},
        ["a"],
    ):
        TemplateIndex().save(tmp_path / "e.parquet", {"decisions": elsewhere})
        with pytest.raises(ValueError, match=r"e\.parquet") as caught:
            BoilerplateRemover.load(tmp_path / "e.parquet")
        assert "\n" not in str(caught.value)


def rows():
    """Lines of the table in docs/trust.md."""
    yield "| what is forged | digests mended | what finds it |"
    yield "|---|---|---|"
    for what, mend, means, _ in FORGERIES:
        yield f"| {what} | {'yes' if mend else 'no'} | {f'`{means}`' if means.startswith('verify') else means} |"


def test_the_page_shows_this_table():
    assert "\n".join(rows()) in PAGE.read_text("utf-8"), "python tests/test_forgeries.py prints it"


if __name__ == "__main__":
    print("\n".join(rows()))

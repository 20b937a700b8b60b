"""Faults of text: told in every load's account, mended only when asked, and nothing else touched."""

import io
import json
import os
import threading

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from toolkit import pipeline
from toolkit.loading import load
from toolkit.loading.faults import FAULTS, faults, kinds_of, repaired

CASES = {
    "mojibake": (
        "Itâ€™s â€œfineâ€\x9d in SÃ£o Paulo, Ð\x9fÑ\x80Ð¸Ð²ÐµÑ‚",
        "It’s “fine” in São Paulo, Привет",
    ),
    "tags": ("<p>Rain fell.</p>\n<p class='b'>Sun<br/>shone.</p>", "Rain fell.\nSun\nshone."),
    "entities": ("Smith &amp; Sons&nbsp;said &#8220;no&#x201D;", "Smith & Sons\xa0said “no”"),
    "escapes": ("Rain fell.\\n\\nThen \\u201csun\\u201d.\\r\\nEnd.", "Rain fell.\n\nThen “sun”.\nEnd."),
    "invisible": ("Ra\u200bin \ufefffell\u2060 in Bel\u00adhaven.", "Rain fell in Belhaven."),
    "cut": ("Rain fell. [+2829 chars]", "Rain fell."),
}
SOUND = [
    "AT&T; Q&A &c. and R&D", "a < b > c", "C:\\news\\today", "São Paulo, Ångström, Âge, naïve “quotes” – 5 €",
    "नमस्\u200dते and می\u200cخواهم and 👩\u200d👧", "Ðakovica", "<3 you", "",
]  # fmt: skip


@pytest.mark.parametrize("kind", FAULTS)
def test_each_fault_is_found_and_mended(kind):
    broken, sound = CASES[kind]
    assert faults(pa.array([broken, None, *SOUND])) == {kind: 1}
    assert repaired(pa.array([broken, None, *SOUND]), [kind]).to_pylist() == [sound, None, *SOUND]
    others = [other for other in FAULTS if other != kind]
    assert repaired(pa.array([broken]), others).to_pylist() == [broken]


@given(st.text(alphabet=st.sampled_from("aÃ©â€™\x9d\\nu2018<p>&amp;\u200b Ð"), max_size=40))
def test_a_repair_never_fails_and_what_is_mended_stays(text):
    (once,) = repaired(pa.array([text]), FAULTS).to_pylist()
    assert isinstance(once, str)


def test_load_changes_no_text_unless_asked():
    broken = [case[0] for case in CASES.values()]
    lines = "".join(
        json.dumps({"id": n, "title": text, "text": text}) + "\n" for n, text in enumerate(broken)
    )
    assert load(io.StringIO(lines))["text"].tolist() == broken
    mended = load(io.StringIO(lines), repair=True)
    assert mended["text"].tolist() == mended["title"].tolist() == [case[1] for case in CASES.values()]
    some = load(io.StringIO(lines), repair=["tags"])["text"].tolist()
    assert [a != b for a, b in zip(some, broken, strict=True)] == [kind == "tags" for kind in CASES]


def test_unknown_kinds_are_refused():
    assert kinds_of(False) == ()
    assert kinds_of("tags") == ("tags",)
    with pytest.raises(ValueError, match="repair='html': unknown; give True or some of mojibake"):
        kinds_of(["html"])


def test_a_run_tells_faults_and_repairs_and_knows_a_pipe_by_what_came_out_of_it(tmp_path):
    os.mkfifo(tmp_path / "news.jsonl")
    records = []
    for number, repair in enumerate((False, True)):
        lines = f'{{"id": 1, "text": "<p>Story {number}: the council voted on the plan.</p>"}}\n'
        writer = threading.Thread(target=(tmp_path / "news.jsonl").write_text, args=(lines,))
        writer.start()
        summary = pipeline.run(tmp_path / "news.jsonl", tmp_path / f"out{number}", repair=repair)
        writer.join()
        records.append(json.loads((tmp_path / f"out{number}" / "run.json").read_text("utf-8")))
        assert summary.faults == records[-1]["counts"]["faults"] == ({} if repair else {"tags": 1})
        assert ("repaired     mojibake, tags" in str(summary)) == repair
        assert ("tags 1 documents; repair=True" in str(summary)) != repair
    digests = [record["inputs"][0]["sha256"] for record in records]
    assert len(set(digests)) == 2
    assert all(record["inputs"][0]["name"] == "news.jsonl" for record in records)
    assert ["repair" in record["parameters"] for record in records] == [False, True]

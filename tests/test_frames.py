"""Every public frame is a plain frame: it outlives each of pandas' files and joins."""

import io
import pickle

import pandas as pd
import pytest

import toolkit
from toolkit import BoilerplateRemover
from toolkit.certificate import draw
from toolkit.errors import CorpusError
from toolkit.evaluation import span_counts

TEXTS = [
    f"The council voted on plan {n}. It will spend {n} million.\n\nSign up for our newsletter."
    for n in range(6)
]


@pytest.fixture(scope="module")
def frames(tmp_path_factory):
    lines = "".join(
        f'{{"text": {text!r}, "url": "https://x.example.org/{n}"}}\n' for n, text in enumerate(TEXTS)
    )
    lines = lines.replace("'", '"') + "no JSON\n"
    corpus = toolkit.load(io.StringIO(lines))
    home = tmp_path_factory.mktemp("frames")
    (home / "a.jsonl").write_text(lines)
    toolkit.pipeline.run(home / "a.jsonl", home / "out")
    remover = toolkit.BoilerplateRemover().fit(corpus)
    classifier = toolkit.TopicClassifier()
    cleaned = remover.transform(corpus)
    return {
        "load": corpus,
        "quarantine": toolkit.quarantine(corpus),
        "sample": toolkit.datasets.load("sample"),
        "list": toolkit.datasets.list(),
        "spans": remover.spans(corpus),
        "transform": cleaned,
        "templates": remover.templates_,
        "topics": classifier.topics(cleaned),
        "predict": classifier.predict(cleaned).to_frame("topic"),
        "predict_proba": classifier.predict_proba(cleaned),
        "audit": toolkit.audit(corpus),
        "apply": toolkit.apply(toolkit.share(home / "out", home / "c.parquet"), [*TEXTS, "Snow fell."]),
        "duplicates": toolkit.duplicates(corpus),
    }


def test_frames_outlive_files_and_joins(frames, tmp_path):
    faults = []
    for name, frame in frames.items():
        for way in (
            lambda f: pd.read_parquet(_written(f.to_parquet, tmp_path / "a.parquet")),
            lambda f: pd.read_feather(_written(f.reset_index().to_feather, tmp_path / "a.feather")),
            lambda f: pd.read_csv(io.StringIO(f.to_csv())),
            lambda f: pd.read_json(io.StringIO(f.reset_index().to_json(orient="records", date_format="iso"))),
            lambda f: pickle.loads(pickle.dumps(f)),
            lambda f: pd.concat([f, f.copy()]).iloc[len(f) :],
            lambda f: f.reset_index(drop=True).merge(
                pd.DataFrame(index=range(len(f))), left_index=True, right_index=True
            ),
        ):
            try:
                assert type(frame) is pd.DataFrame
                assert len(way(frame)) == len(frame)
            except Exception as error:
                faults.append(f"{name}: {type(error).__name__}: {error}"[:300])
    assert not faults, "\n".join(faults)


def _written(write, path):
    write(path)
    return path


NUMBERED = pd.DataFrame({"doc_id": ["7", "8"], "text": ["Ads! " + "It rained. " * 20, "Snow fell."]})
SPANS = pd.DataFrame(
    {"doc_id": ["7"], "start": 0, "end": 4, "kind": "promo", "score": 0.9, "evidence": "model"}
)
SPANS = SPANS.assign(template_id=None)
TAKERS = {
    "transform": lambda spans: BoilerplateRemover().transform(NUMBERED, spans=spans)["clean_text"].tolist(),
    "verdicts": lambda spans: toolkit.verdicts(NUMBERED, spans)["kept"].tolist(),
    "show": lambda spans: repr(toolkit.show(NUMBERED, spans, ["7"])),
    "gold": lambda spans: repr(toolkit.show(NUMBERED, SPANS, ["7"], gold=spans)),
    "draw": lambda spans: draw(NUMBERED, spans, n=9)["stratum"].tolist(),
    "near": lambda spans: draw(NUMBERED, SPANS, spans, n=9)["stratum"].tolist(),
    "counts": lambda spans: span_counts(NUMBERED, SPANS, spans)["hit"].tolist(),
}


@pytest.mark.parametrize("name", TAKERS)
def test_a_table_beside_a_corpus_counts_after_a_round_trip_and_a_wrong_one_is_refused(name):
    take = TAKERS[name]
    assert take(pd.read_csv(io.StringIO(SPANS.to_csv(index=False)))) == take(SPANS)
    take(SPANS.head(0))
    for wrong, message in (
        (SPANS.assign(doc_id="07"), "none of its documents is in the corpus .'07' there, '7' here"),
        (SPANS[["doc_id"]], "no column 'start'; found 'doc_id'; pass "),
    ):
        with pytest.raises(CorpusError, match=message):
            take(wrong)


def test_a_part_of_a_corpus_may_have_no_spans():
    more = pd.concat([SPANS, SPANS.assign(doc_id="9")])
    assert "nothing removed" in repr(toolkit.show(NUMBERED.tail(1), more, "8"))
    with pytest.raises(CorpusError, match="spans: a list is no table; pass the spans"):
        toolkit.verdicts(NUMBERED, [SPANS])

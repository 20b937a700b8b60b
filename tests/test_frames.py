"""Every public frame is a plain frame: it outlives each of pandas' files and joins."""

import io
import pickle

import pandas as pd
import pytest

import toolkit

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

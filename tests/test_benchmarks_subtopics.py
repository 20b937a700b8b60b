"""The trial of the second level: its mapping fits the taxonomy, its figures are counted right."""

import json

import pandas as pd

from benchmarks.subtopics import descriptions, slugs, subtopic_table
from toolkit.corpus import make_corpus
from toolkit.topics import taxonomy


def test_every_slug_is_mapped_to_children_of_the_topics_named():
    for slug, answers in slugs().items():
        for short, codes in answers.items():
            assert codes, slug
            assert set(codes) <= set(taxonomy.children(taxonomy.CODE_OF[short])), slug


def test_a_topic_is_described_with_all_below_it(tmp_path):
    def concept(code, level, parent, name, retired=False):
        return {
            "qcode": f"medtop:{code}", "level": level, "parent": parent and f"medtop:{parent}",
            "names": {"en-GB": name}, "definition_en": f"All of {name}", "retired": retired,
        }  # fmt: skip

    concepts = [
        concept("1", 1, None, "top"),
        concept("2", 2, "1", "child"),
        concept("3", 3, "2", "grandchild"),
        concept("4", 4, "3", "gone", retired=True),
    ]
    path = tmp_path / "t.json"
    path.write_text(json.dumps({"concepts": concepts}))
    told = descriptions(path)
    assert told.to_dict() == {"2": "child. child. All of child grandchild. grandchild. All of grandchild"}


def test_hits_are_counted_against_the_most_frequent_child():
    law = "Parliament voted on a government bill as the prime minister and opposition party debated it. "
    rows = [("elections", law + "Ballots votes candidates election poll.")] * 3
    rows += [("us_senate", law + "Civil service, defence, government department.")] * 2 + [("world", law)]
    corpus = make_corpus({"doc_id": str(i), "text": t, "topic": slug} for i, (slug, t) in enumerate(rows))
    described = pd.Series(
        {"20000574": "election ballots votes", "20000593": "civil service defence", "20000658": "ballots"}
    )
    table = subtopic_table(corpus, described, dimensions=2)
    assert table.index.tolist() == ["all", "mean of topics", "pol"]
    assert table.loc["all"].tolist() == [5, 1.0, 1.0, 0.6]

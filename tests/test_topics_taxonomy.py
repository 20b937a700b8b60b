"""The taxonomy that ships."""

import json

import pytest

from toolkit.files import shipped
from toolkit.topics import taxonomy
from training import mediatopics


def test_two_levels_in_thirteen_languages():
    frame = taxonomy.load()
    assert frame["level"].value_counts().to_dict() == {2: 121, 1: 17}
    languages = [name[5:] for name in frame if name.startswith("name_")]
    assert len(languages) == 13
    assert set(frame.loc[frame["level"] == 2, "parent"]) <= set(taxonomy.CODES)
    assert frame["definition"].str.len().min() > 0
    assert taxonomy.names("en-GB")["11000000"] == "politics"
    assert all(name for language in languages for name in taxonomy.names(language).values())


def test_short_names_and_codes_mirror_each_other():
    assert {taxonomy.CODE_OF[short] for short in taxonomy.SHORT_NAMES.values()} == set(taxonomy.CODES)


def test_the_attribution_is_there():
    raw = json.loads(shipped("taxonomy.json").read_text(encoding="utf-8"))
    assert "IPTC" in raw["source"]
    assert raw["licence"].startswith("CC BY 4.0")


def test_an_unknown_language_is_named():
    with pytest.raises(ValueError, match="language 'xx': topics are named in ar, de"):
        taxonomy.names("xx")


def test_the_file_can_be_built_again(shared_data, tmp_path):
    mediatopics.main(
        [str(shared_data / "taxonomy" / "iptc_mediatopics_2023-10-24.json"), str(tmp_path / "t.json")]
    )
    assert (tmp_path / "t.json").read_bytes() == shipped("taxonomy.json").read_bytes()

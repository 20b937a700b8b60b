from benchmarks import pages

BODY = "".join(
    f"<p>The council met on day {n} and closed basin {n} of the harbour to all {n}-mast ships, it said.</p>"
    for n in range(2, 14)
)


def page(name, html):
    return {"id": name, "url": None, "publisher": "x.org", "lang": "en", "html": html, "gold": "The council"}


def test_pages_are_read_once_a_setting_and_keep_their_gold():
    found = pages.read(
        [page("1", f"<html><body><article>{BODY}</article></body></html>"), page("2", "<html></html>")],
        ["as loaded", "default"],
    )
    assert list(found) == ["as loaded", "default"]
    for corpus in found.values():
        assert corpus["doc_id"].tolist() == ["1", "2"]
        assert corpus["gold"].tolist() == ["The council"] * 2
        assert corpus["text"][0].startswith("The council met")
        assert corpus["text"][1] == ""


def test_a_sample_is_spread_over_the_set(shared_data):
    ids = [record["id"] for record in pages.spread("aed", 30)]
    assert 30 <= len(ids) <= 45
    assert len(set(ids)) == len(ids)
    assert ids == [record["id"] for record in pages.spread("aed", 30)]

import warnings
from io import StringIO

import matplotlib as mpl
import pandas as pd
import pytest
from lxml import etree
from matplotlib import pyplot as plt

from toolkit import notebook, plots
from toolkit.display import PALETTE


@pytest.fixture(autouse=True)
def settings():
    with mpl.rc_context(), warnings.catch_warnings():
        mpl.use("agg")
        mpl.rcParams.update(notebook.RC)
        yield
        plt.close("all")


def shares(*rows):
    return pd.DataFrame(rows, columns=["publisher", "kind", "characters", "of", "documents"])


def forecasts(*rows):
    return pd.DataFrame(rows, columns=["probability", "correct"])


def legend(ax):
    return [text.get_text() for found in ax.figure.legends for text in found.get_texts()]


def picture(ax):
    """The figure as SVG text; drawing it also proves that it can be drawn."""
    out = StringIO()
    ax.figure.savefig(out, format="svg", **notebook.PRINT_FIGURE)
    return out.getvalue()


def test_removed_stacks_kinds_and_names_totals():
    ax = plots.removed(
        shares(
            ("b.org", "promo", 10, 100, 7),
            ("b.org", "appeal", 5, 100, 7),
            ("a.org", "promo", 1, 50, 3),
            ("c.org", "promo", 0, 0, 1),
        )
    )
    assert [t.get_text() for t in ax.get_yticklabels()] == ["b.org", "a.org", "c.org"]
    assert [t.get_text() for t in ax.texts] == ["15.0 %, n=7", "2.0 %, n=3", "0.0 %, n=1"]
    assert legend(ax) == ["appeal", "promo"]
    assert "%" in ax.get_xlabel()
    widths = {c.get_label(): [round(p.get_width(), 6) for p in c.patches] for c in ax.containers}
    assert widths == {"appeal": [5, 0, 0], "promo": [10, 2, 0]}
    assert {p.get_hatch() or "" for c in ax.containers for p in c.patches} == {
        PALETTE["appeal"].hatch,
        PALETTE["promo"].hatch,
    }
    picture(ax)


def test_removed_of_nothing_is_drawn():
    ax = plots.removed(shares())
    assert legend(ax) == []
    picture(ax)


def test_removed_takes_the_largest_publishers():
    ax = plots.removed(shares(*[(f"{i:02}.org", "promo", 1, 10, i) for i in range(30)]), top=3)
    assert [t.get_text() for t in ax.get_yticklabels()] == ["29.org", "28.org", "27.org"]


def test_months_shows_gaps_and_counts_the_undated():
    ax = plots.months(
        pd.DataFrame(
            {"month": pd.to_datetime(["2031-11-01", "2032-02-01", None], utc=True), "documents": [3, 4, 2]}
        )
    )
    assert [(p.get_x() + p.get_width() / 2, p.get_height()) for p in ax.patches] == [(0, 3), (3, 4)]
    assert [t.get_text() for t in ax.get_xticklabels()] == ["2031-11", "2031-12", "2032-01", "2032-02"]
    assert ax.get_title(loc="left") == "n=7 dated, 2 undated"
    picture(ax)


def test_one_wrong_date_does_not_stretch_the_axis():
    stamps = ["0001-11-01", "2031-11-01", "2031-12-01", "2332-01-01"]
    month = pd.to_datetime(pd.Series(stamps), format="ISO8601").astype("datetime64[us]")
    ax = plots.months(pd.DataFrame({"month": month, "documents": [1, 400, 400, 2]}))
    assert [t.get_text() for t in ax.get_xticklabels()] == ["2031-11", "2031-12"]
    assert ax.get_title(loc="left") == "n=803 dated, 0 undated, 3 before or after the months shown"


def test_months_without_a_date():
    ax = plots.months(pd.DataFrame({"month": pd.to_datetime([None], utc=True), "documents": [2]}))
    assert ax.get_title(loc="left") == "n=0 dated, 2 undated"
    picture(ax)


def test_topics_counts_documents_once_a_topic():
    long = pd.DataFrame({"doc_id": ["1", "1", "2"], "name": ["sport", "politics", "sport"]})
    counted = pd.DataFrame({"name": ["politics", "sport"], "documents": [1, 2]})
    for frame in (long, counted):
        ax = plots.topics(frame)
        assert [t.get_text() for t in ax.get_yticklabels()] == ["sport", "politics"]
        assert [t.get_text() for t in ax.texts] == ["2", "1"]


def test_reliability_states_the_calibration_error():
    ax = plots.reliability(forecasts((0.95, True), (0.95, False), (0.15, False), (0.15, False)))
    # (2 * |0.5 - 0.95| + 2 * |0 - 0.15|) / 4
    assert ax.get_title(loc="left") == "calibration error 0.300, n=4"
    assert [t.get_text() for t in ax.texts] == ["2", "2"]
    line = next(line for line in ax.lines if line.get_label() == "observed")
    assert line.get_xydata().round(6).tolist() == [[0.15, 0.0], [0.95, 0.5]]
    picture(ax)


def test_coverage_does_not_depend_on_the_order_of_ties():
    rows = [(0.9, True), (0.9, False), (0.5, True), (0.4, False)]
    curves = []
    for order in (rows, rows[::-1]):
        ax = plots.coverage(forecasts(*order))
        curves.append(ax.lines[0].get_xydata().tolist())
        assert [t.get_text() for t in ax.texts] == ["66.7 %", "50.0 %"]
    assert curves[0] == curves[1]
    assert curves[0][0] == [50.0, 50.0]


def test_words_marks_those_of_removed_text():
    frame = pd.DataFrame(
        {"word": ["rain", "give", "port"], "weight": [0.5, -2.0, 1.0], "removed": [False, True, False]}
    )
    ax = plots.words(frame, top=2)
    assert [t.get_text() for t in ax.get_yticklabels()] == ["give", "port"]
    assert set(legend(ax)) == {"in the story", "in removed text"}
    picture(ax)
    assert plots.words(frame.drop(columns="removed")).figure.legends == []


def rates(*rows):
    return pd.DataFrame(rows, columns=["by", "group", "documents", "share", "low", "high"])


def test_flips_shows_share_interval_and_n():
    frame = rates(
        ("all", "documents", 100, 0.1, 0.05, 0.2),
        ("kind", "promo", 10, 0.5, 0.2, 0.8),
        ("kind", "appeal", 0, float("nan"), float("nan"), float("nan")),
    )
    ax = plots.flips(frame)
    assert [t.get_text() for t in ax.get_yticklabels()] == ["documents", "promo"]
    assert [t.get_text() for t in ax.texts] == ["10.0 %, n=100", "50.0 %, n=10"]
    (bars,) = ax.containers
    ends = [segment[:, 0].round(6).tolist() for segment in bars[2][0].get_segments()]
    assert ends == [[5, 20], [20, 80]]
    picture(ax)
    assert len(plots.flips(frame, by="kind").get_yticklabels()) == 1
    picture(plots.flips(frame.iloc[:0]))


HOSTILE = ["$\\frac{", "<b>&", "\x1b[31m\x00", "新聞\u202e社", "x" * 500]


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_labels_make_valid_svg(name):
    warnings.filterwarnings("ignore", message="Glyph .* missing from")
    for ax in (
        plots.removed(shares((name, "promo", 1, 2, 1), (name + "2", name, 1, 2, 1))),
        plots.topics(pd.DataFrame({"name": [name], "documents": [1]})),
        plots.words(pd.DataFrame({"word": [name], "weight": [1.0]})),
        plots.flips(rates(("kind", name, 9, 0.5, 0.4, 0.6))),
    ):
        etree.fromstring(picture(ax).encode())
        assert max(len(t.get_text()) for t in ax.get_yticklabels()) <= 44


@pytest.mark.parametrize(
    "draw",
    [plots.removed, plots.months, plots.topics, plots.reliability, plots.coverage, plots.words, plots.flips],
)
def test_a_missing_column_is_named(draw):
    with pytest.raises(ValueError, match=r"no column .*; found 'x'; pass a frame with"):
        draw(pd.DataFrame({"x": [1]}))


def test_axes_given_are_used():
    _, ax = plt.subplots()
    assert plots.topics(pd.DataFrame({"name": ["a"], "documents": [1]}), ax=ax) is ax


def test_drawing_twice_gives_the_same_bytes():
    frame = shares(("b.org", "promo", 10, 100, 7), ("b.org", "appeal", 5, 100, 7))
    assert picture(plots.removed(frame)) == picture(plots.removed(frame))

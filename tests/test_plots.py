import re
import warnings
from io import StringIO
from itertools import pairwise
from pathlib import Path

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest
from lxml import etree
from matplotlib import pyplot as plt
from matplotlib.text import Text

from docs.tools import gallery
from toolkit import notebook, plots
from toolkit.display import PALETTE
from toolkit.plots.canvas import SERIES

DOCS = Path(__file__).parent.parent / "docs"


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
    assert all(t.get_window_extent().y0 >= ax.bbox.y0 for t in ax.texts)  # not among the numbers of the axis


def test_coverage_does_not_depend_on_the_order_of_ties():
    rows = [(0.9, True), (0.9, False), (0.5, True), (0.4, False)]
    curves = []
    for order in (rows, rows[::-1]):
        ax = plots.coverage(forecasts(*order))
        curves.append(ax.lines[0].get_xydata().tolist())
        assert [t.get_text() for t in ax.texts] == ["66.7 %", "50.0 %"]
    assert curves[0] == curves[1]
    assert curves[0][0] == [50.0, 50.0]


def test_coverage_writes_beside_its_curve():
    ax = plots.coverage(forecasts(*((1 - i / 100, i % 10 < 9 - i // 15) for i in range(100))))
    picture(ax)
    path = ax.lines[0].get_transform().transform_path(ax.lines[0].get_path())
    assert not [t.get_text() for t in ax.texts if path.intersects_bbox(t.get_window_extent(), filled=False)]


def rates(*rows):
    return pd.DataFrame(rows, columns=["by", "group", "documents", "share", "low", "high"])


def test_flips_shows_share_interval_and_n():
    frame = rates(
        ("all", "documents", 100, 0.1, 0.05, 0.2),
        ("kind", "promo", 10, 0.5, 0.2, 0.8),
        ("kind", "appeal", 0, float("nan"), float("nan"), float("nan")),
    )
    ax = plots.flips(frame)
    assert [t.get_text() for t in ax.get_yticklabels()] == ["all documents", "promo"]
    assert "all documents 10.0 %" in ax.get_label()
    assert [t.get_text() for t in ax.texts] == ["10.0 %, n=100", "50.0 %, n=10"]
    (bars,) = ax.containers
    ends = [segment[:, 0].round(6).tolist() for segment in bars[2][0].get_segments()]
    assert ends == [[5, 20], [20, 80]]
    picture(ax)
    assert len(plots.flips(frame, by="kind").get_yticklabels()) == 1
    picture(plots.flips(frame.iloc[:0]))


def test_a_share_of_zero_does_not_touch_the_name_of_its_row():
    ax = plots.flips(rates(("publisher", "a.example", 41, 0.0, 0.0, 0.09)))
    picture(ax)
    (point,) = ax.transData.transform([(0, 0)])
    radius = ax.containers[0].lines[0].get_markersize() / 2 * ax.figure.dpi / 72
    assert ax.get_yticklabels()[0].get_window_extent().x1 < point[0] - radius


def test_certainty_counts_classes_of_probability_by_evidence():
    spans = pd.DataFrame(
        {"score": [0.75, 0.97, 0.995, 0.99], "evidence": ["model", "template", "template", "model"]}
    )
    ax = plots.certainty(spans)
    labels = ["0.5 to 0.8", "0.8 to 0.9", "0.9 to 0.95", "0.95 to 0.99", "0.99 and more"]
    assert [t.get_text() for t in ax.get_yticklabels()] == labels
    ends = ["1 (25.0 %)", "0 (0.0 %)", "0 (0.0 %)", "1 (25.0 %)", "2 (50.0 %)"]
    assert [t.get_text() for t in ax.texts] == ends
    assert set(legend(ax)) == {"evidence: template", "evidence: model"}
    assert plots.certainty(spans.assign(score=0.2)).get_yticklabels()[0].get_text() == "under 0.5"
    picture(plots.certainty(spans.iloc[:0]))


def test_prevalence_draws_a_line_a_series_and_marks_days():
    frame = pd.DataFrame(
        {
            "period": pd.to_datetime(["2032-01-01", "2032-04-01"] * 2),
            "series": ["appeal", "appeal", "promo", "promo"],
            "documents": [10, 20, 10, 20],
            "share": [0.1, 0.5, 0.3, 0.3],
            "low": [0.0, 0.3, 0.1, 0.2],
            "high": [0.3, 0.7, 0.6, 0.5],
        }
    )
    ax = plots.prevalence(frame, marks={"2032-03-14": "election"})
    assert [t.get_text() for t in ax.texts] == ["election"]
    assert set(legend(ax)) == {"appeal", "promo"}
    assert "n=10 to 20" in ax.get_xlabel()
    heights = {tuple(c.lines[0].get_ydata().round(6)) for c in ax.containers}
    assert heights == {(10, 50), (30, 30)}
    assert "appeal from 10 to 50 %" in ax.get_label()
    assert "election on 2032-03-14" in ax.get_label()
    picture(ax)
    picture(plots.prevalence(frame.iloc[:0]))


def test_prevalence_ticks_years_of_a_long_time_and_days_of_a_short_one():
    def frame(*days):
        row = {"series": "appeal", "documents": 9, "share": 0.1, "low": 0.0, "high": 0.3}
        return pd.DataFrame([{"period": pd.Timestamp(day), **row} for day in days])

    for days, form in (
        (("1990-01-01", "2020-01-01"), r"\d{4}-01"),
        (("2032-01-01", "2032-01-20"), r"2032-..-.."),
    ):
        ax = plots.prevalence(frame(*days))
        picture(ax)
        labels = [t.get_text() for t in ax.get_xticklabels()]
        assert 1 < len(labels) < 12
        assert all(re.fullmatch(form, label) for label in labels)


def test_lifetimes_run_from_first_to_last_day():
    frame = pd.DataFrame(
        {
            "label": ["old", "new"],
            "kind": ["promo", "appeal"],
            "documents": [3, 1],
            "first_seen": pd.to_datetime(["2031-01-01", "2032-05-05"], utc=True),
            "last_seen": pd.to_datetime(["2031-01-31", "2032-05-05"], utc=True),
        }
    )
    ax = plots.lifetimes(frame)
    assert [t.get_text() for t in ax.get_yticklabels()] == ["old", "new"]
    assert [t.get_text() for t in ax.texts] == ["n=3", "n=1"]
    assert [p.get_width() for p in ax.patches] == [30, 1]
    assert legend(ax) == ["promo", "appeal"]
    picture(ax)
    picture(plots.lifetimes(frame.iloc[:0]))
    undated = frame.assign(first_seen=frame["first_seen"].mask(frame["label"] == "old"))
    assert [p.get_width() for p in plots.lifetimes(undated, top=1).patches] == [1]


def test_lengths_draws_the_percentiles():
    frame = pd.DataFrame({"group": ["a"] * 101 + ["b"], "words": [*range(100, 201), 7]})
    ax = plots.lengths(frame)
    assert [t.get_text() for t in ax.get_yticklabels()] == ["a", "b"]
    assert [t.get_text() for t in ax.texts] == ["150 words, n=101", "7 words, n=1"]
    (box, _) = ax.patches
    assert (box.get_x(), box.get_width()) == (125, 50)
    assert ax.get_xscale() == "log"
    picture(ax)
    picture(plots.lengths(frame.iloc[:0]))


def estimate_rows(*rows):
    return pd.DataFrame(rows, columns=["label", "series", "value", "low", "high"])


def test_estimates_of_several_series_stand_side_by_side():
    frame = estimate_rows(("ours", "recall", 0.7, 0.6, 0.8), ("ours", "precision", 0.9, 0.8, 0.95))
    ax = plots.estimates(frame, xlabel="share (%)", percent=True)
    assert [t.get_text() for t in ax.get_yticklabels()] == ["ours"]
    assert set(legend(ax)) == {"recall", "precision"}
    points = sorted(c.lines[0].get_xydata().round(4).tolist()[0] for c in ax.containers)
    assert [x for x, _ in points] == [70, 90]
    assert points[0][1] != points[1][1]
    ends = sorted(s[:, 0].round(6).tolist() for c in ax.containers for s in c[2][0].get_segments())
    assert ends == [[60, 80], [80, 95]]
    picture(ax)


def test_estimates_of_one_series_say_their_value_and_n():
    frame = estimate_rows(("a", "x", 3.0, float("nan"), float("nan"))).drop(columns="series").assign(n=[12])
    ax = plots.estimates(frame, xlabel="ratio", log=True, reference=1)
    assert [t.get_text() for t in ax.texts] == ["3, n=12"]
    assert ax.get_xscale() == "log"
    picture(ax)
    picture(plots.estimates(frame.iloc[:0], xlabel="ratio"))


@pytest.mark.parametrize("log", [False, True])
@pytest.mark.parametrize("second", [2.0, np.nan])
def test_an_estimate_that_is_missing_is_said_to_be(log, second):
    frame = pd.DataFrame({"label": ["a", "b"], "value": [np.nan, second], "n": [0, 4]}).assign(
        low=np.nan, high=np.nan
    )
    ax = plots.estimates(frame, xlabel="ratio", log=log)
    picture(ax)
    end = "missing" if np.isnan(second) else "2"
    assert [t.get_text() for t in ax.texts] == ["missing, n=0", f"{end}, n=4"]
    assert np.isfinite(ax.get_xlim()).all()


def test_rows_of_one_label_are_drawn_each():
    frame = pd.DataFrame({"label": ["a", "a"], "value": [1.0, 2.0], "low": 1.0, "high": 2.0, "n": [3, 4]})
    for table in (frame, frame.assign(series="x")):
        assert [t.get_text() for t in plots.estimates(table, xlabel="x").texts] == ["1, n=3", "2, n=4"]
    with pytest.raises(
        ValueError, match="table: 'a' stands twice in the series 'x'; give each row a label of its own"
    ):
        plots.estimates(pd.concat([frame.assign(series="x"), frame.assign(series="y")]), xlabel="x")


@pytest.mark.parametrize("column", ["value", "low"])
def test_a_logarithmic_axis_has_no_place_for_zero(column):
    frame = pd.DataFrame({"label": ["a", "b"], "value": [2.0, 3.0], "low": 1.0, "high": 4.0})
    with pytest.raises(ValueError, match="table: 'b' reaches 0 or less, which log=True has no place for"):
        plots.estimates(frame.assign(**{column: [1.0, 0.0]}), xlabel="x", log=True)


@pytest.mark.parametrize("draw", [plots.reliability, plots.coverage])
def test_forecasts_that_are_none_are_refused(draw):
    with pytest.raises(
        ValueError, match=r"forecasts: probability 90 is not in \[0, 1\]; divide per cent by 100"
    ):
        draw(forecasts((0.5, True), (90, True)))
    for row, name in (((np.nan, True), "probability"), ((0.5, None), "correct")):
        with pytest.raises(ValueError, match=f"forecasts: {name} is missing in 1 of 2 rows; leave them out"):
            draw(forecasts((0.5, True), row))


def test_matrix_writes_each_cell_and_leaves_zeros_blank():
    frame = pd.DataFrame(
        [[2, 0], [1, 4]], index=pd.Index(["a", "b"], name="first"), columns=pd.Index(["x", "y"], name="too")
    )
    ax = plots.matrix(frame, label="articles")
    assert [t.get_text() for t in ax.texts] == ["2", "1", "4"]
    assert (ax.get_xlabel(), ax.get_ylabel(), ax.get_title(loc="left")) == ("too", "first", "cells: articles")
    assert "Largest: b and y 4, a and x 2, b and x 1" in ax.get_label()
    # the darkest cell is written in white, the lightest in black
    assert {t.get_text(): t.get_color() for t in ax.texts} == {"2": "black", "1": "black", "4": "white"}
    assert [t.get_text() for t in plots.matrix(frame / 8, percent=True).texts] == ["25", "12", "50"]
    picture(ax)
    with pytest.raises(ValueError, match="no cells to draw"):
        plots.matrix(frame.iloc[:0])


def test_learning_draws_a_line_a_metric():
    frame = pd.DataFrame(
        [
            (50, "accuracy", 0.5, 0.4, 0.6),
            (100, "accuracy", 0.7, 0.6, 0.8),
            (50, "ECE", 0.1, 0, 0.2),
            (100, "ECE", 0.05, 0, 0.1),
        ],
        columns=["documents", "metric", "value", "low", "high"],
    )
    ax = plots.learning(frame)
    assert legend(ax) == ["accuracy", "ECE"]
    assert [t.get_text() for t in ax.get_xticklabels()] == ["50", "100"]
    assert ax.get_ylabel() == "score (0 to 1)"
    assert "accuracy from 0.50 to 0.70" in ax.get_label()
    picture(ax)


def test_reliability_has_the_interval_of_each_bin():
    ax = plots.reliability(forecasts(*[(0.95, True)] * 3, (0.95, False)))
    (bars,) = ax.containers
    low, high = bars[2][0].get_segments()[0][:, 1].round(4)
    assert (low, high) == (0.3006, 0.9544)  # Wilson, 3 of 4


EXAMPLES = gallery.examples()
WIDTHS = {"page": {}, "column": {"figure.figsize": (3.5, 2.6), "font.size": 7}}


@pytest.mark.parametrize("name", EXAMPLES)
@pytest.mark.parametrize("width", WIDTHS)
def test_nothing_is_cut_off_and_row_labels_do_not_meet(name, width):
    mpl.rcParams.update(WIDTHS[width])
    draw, frame, options = EXAMPLES[name]
    ax = draw(frame, **options)
    picture(ax)
    figure = ax.get_figure(root=True)
    page = figure.bbox.padded(1)
    held = [t for t in figure.findobj(Text) if t.get_text() and t.get_visible()]
    boxes = {t.get_text(): t.get_window_extent() for t in held if t.get_window_extent().width}
    ticks = {t for axis in (ax.xaxis, ax.yaxis) for t in axis.get_ticklabels()}
    low, high = sorted(ax.get_xlim())
    shown = [
        t for t in held
        if t not in ticks or (t in ax.get_yticklabels()) or low <= t.get_position()[0] <= high
    ]  # fmt: skip
    outside = [
        t.get_text() for t in shown if boxes[t.get_text()].x1 > page.x1 or boxes[t.get_text()].x0 < page.x0
    ]
    assert not outside
    edges = [t.get_window_extent() for t in ax.get_yticklabels() if t.get_text()]
    assert not [1 for a, b in pairwise(edges) if a.overlaps(b)]


@pytest.mark.parametrize("name", EXAMPLES)
def test_every_figure_says_in_words_what_it_shows(name):
    draw, frame, options = EXAMPLES[name]
    told = draw(frame, **options).get_label()
    assert re.match(r"(Stacked bars|Bars|Boxes|Lines?|Points|Shaded table)", told)
    assert re.search(r"\d", told)
    assert 40 < len(told) < 600


@pytest.mark.parametrize("name", EXAMPLES)
def test_text_stays_text_in_the_svg(name):
    draw, frame, options = EXAMPLES[name]
    ax = draw(frame, **options)
    tree = etree.fromstring(gallery.svg(ax).encode())
    space = "{http://www.w3.org/2000/svg}"
    texts = " ".join("".join(node.itertext()) for node in tree.iter(f"{space}text"))
    assert tree.find(f"{space}title").text == ax.get_label()
    assert all(line in texts for line in ax.get_xlabel().splitlines())
    assert "dc:date" not in gallery.svg(ax)


def test_the_gallery_is_what_the_command_draws(tmp_path):
    gallery.write(tmp_path)
    drawn = {path.relative_to(tmp_path): path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    stored = {Path("gallery.md"), *(path.relative_to(DOCS) for path in (DOCS / "gallery").iterdir())}
    assert drawn.keys() == stored
    assert not [name for name in drawn if drawn[name] != (DOCS / name).read_bytes()]


def test_the_gallery_has_every_figure():
    assert set(EXAMPLES) == set(plots.__all__)


def test_colours_differ_in_grey():
    """Luminance as WCAG 2.2 has it; series are told apart by marker, line and hatch as well."""
    rgb = np.array([mpl.colors.to_rgb(colour) for colour, *_ in SERIES])
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    assert (1.05 / (linear @ [0.2126, 0.7152, 0.0722] + 0.05) >= 1.9).all()  # seen on white
    for part in zip(*SERIES, strict=True):
        assert len(set(part)) == len(SERIES)
    assert len(SERIES) >= len(PALETTE)


@pytest.mark.parametrize("name", [name for name in EXAMPLES if name != "matrix"])  # whose cells have a ground
def test_figures_of_a_dark_style_have_light_words_and_lines(name):
    plt.style.use("dark_background")
    draw, frame, options = EXAMPLES[name]
    ax = draw(frame, **(options | {"reference": 0.5} if name == "estimates" else options))
    picture(ax)
    boxes = [box.get_facecolor() for text in ax.texts if (box := text.get_bbox_patch())]
    assert set(boxes) <= {mpl.colors.to_rgba("black")}
    drawn = [line.get_color() for line in ax.lines] + [text.get_color() for text in ax.texts]
    drawn += [colour for held in ax.collections for colour in held.get_edgecolor()]
    assert not [colour for colour in drawn if sum(mpl.colors.to_rgb(colour)) < 0.5]


HOSTILE = ["$\\frac{", "<b>&", "\x1b[31m\x00", "新聞\u202e社", "x" * 500]


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_labels_make_valid_svg(name):
    warnings.filterwarnings("ignore", message="Glyph .* missing from")
    for ax in (
        plots.removed(shares((name, "promo", 1, 2, 1), (name + "2", name, 1, 2, 1))),
        plots.topics(pd.DataFrame({"name": [name], "documents": [1]})),
        plots.flips(rates(("kind", name, 9, 0.5, 0.4, 0.6))),
    ):
        etree.fromstring(picture(ax).encode())
        assert max(len(t.get_text()) for t in ax.get_yticklabels()) <= 44


@pytest.mark.parametrize(
    "draw",
    [getattr(plots, name) for name in plots.__all__ if name not in ("matrix", "estimates")],
)
def test_a_missing_column_is_named(draw):
    with pytest.raises(ValueError, match=r"no column .*; found 'x'; pass a frame with"):
        draw(pd.DataFrame({"x": [1]}))


def test_axes_given_are_used():
    _, ax = plt.subplots()
    assert plots.topics(pd.DataFrame({"name": ["a"], "documents": [1]}), ax=ax) is ax


@pytest.mark.parametrize("layout", ["none", "constrained"])
def test_two_figures_side_by_side_cut_nothing_off_and_their_labels_do_not_meet(layout):
    mpl.rcParams["figure.constrained_layout.use"] = False
    _, (left, right) = plt.subplots(1, 2, layout=layout)
    names = ["economy, business and finance", "disaster, accident and emergency incident"]
    plots.topics(pd.DataFrame({"name": names, "documents": [9, 4]}), ax=left)
    months = pd.date_range("2031-01-01", periods=24, freq="MS")
    plots.months(pd.DataFrame({"month": months, "documents": 9}), ax=right)
    picture(left)
    boxes = [text.get_window_extent() for text in left.get_yticklabels()]
    assert min(box.x0 for box in boxes) >= 0
    assert right.yaxis.label.get_window_extent().x0 > left.texts[0].get_window_extent().x1
    edges = [text.get_window_extent() for text in right.get_xticklabels()]
    assert not [1 for a, b in pairwise(edges) if a.overlaps(b)]


def test_drawing_twice_gives_the_same_bytes():
    frame = shares(("b.org", "promo", 10, 100, 7), ("b.org", "appeal", 5, 100, 7))
    assert picture(plots.removed(frame)) == picture(plots.removed(frame))

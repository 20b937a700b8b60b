"""The report as a reader of a paper meets it: one file, in a browser, without a network."""

import pytest

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def path(report):
    folder, job = report
    assert job.wait(400) == 0, (folder / "log").read_text("utf-8")
    return folder / "report.html"


def test_the_report_shows_its_figures_and_no_script_runs(path, watched):
    page = watched.page
    page.goto(path.as_uri())
    figures = page.locator("img")
    assert figures.count() >= 3
    for number in range(figures.count()):
        assert figures.nth(number).evaluate("e => e.complete && e.naturalWidth") > 300
        assert len(figures.nth(number).get_attribute("alt")) > 15
    assert page.locator("article del").count() > 10
    assert "<script>window.hit=1</script>" in page.locator("main").inner_text()
    assert page.locator("script").count() == 0
    assert page.locator("main a:not([href^='#'])").count() == 0
    watched.shot("report-wide", full_page=True)
    watched.is_quiet()


@pytest.mark.parametrize(("width", "scheme"), [(390, "light"), (1400, "dark")])
def test_the_report_fits_the_screen(path, watched, width, scheme):
    page = watched.page
    page.emulate_media(color_scheme=scheme)
    page.set_viewport_size({"width": width, "height": 900})
    page.goto(path.as_uri())
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    watched.shot(f"report-{width}-{scheme}")
    page.locator("article").first.scroll_into_view_if_needed()
    watched.shot(f"report-{width}-{scheme}-article")
    watched.is_quiet()


def test_the_report_prints_on_paper(path, watched):
    page = watched.page
    page.goto(path.as_uri())
    page.emulate_media(media="print")
    page.set_viewport_size({"width": 794, "height": 1123})  # A4 at 96 dots an inch
    assert page.evaluate("document.documentElement.scrollWidth") <= 794
    page.pdf(path=watched.artifacts / "report.pdf", format="A4")
    watched.shot("report-print", full_page=True)


def test_the_notebook_stands_beside_the_page(path):
    assert path.with_suffix(".ipynb").is_file()
    assert (path.parent / "report_files" / "run.json").is_file()

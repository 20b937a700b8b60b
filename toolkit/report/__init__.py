"""Report: a folder of results as numbered tables and figures, and the notebook that shows them."""

from toolkit.report.page import blank, check_page, finished, render
from toolkit.report.results import TABLES, Results

__all__ = ["TABLES", "Results", "blank", "check_page", "finished", "render"]

"""Figures. Each function takes a DataFrame and returns the matplotlib Axes it drew on: ``ax=``, or a new figure.

Colours are those of Okabe and Ito, told apart in print by hatches, markers and labels; every figure names its
units and its n, is laid out to be read at the width of a journal column, and says in words what it shows: the
label of the Axes (``ax.get_label()``) is the alternative text. ``docs/gallery.md`` has one of each.

With ``ax=``, room for the labels is made once if the figure has no layout engine, as ``layout="constrained"`` does.
"""

from toolkit.plots.amounts import certainty, lengths, lifetimes, matrix, months, removed, topics
from toolkit.plots.intervals import coverage, estimates, flips, learning, prevalence, reliability

__all__ = [
    "certainty", "coverage", "estimates", "flips", "learning", "lengths", "lifetimes", "matrix", "months",
    "prevalence", "reliability", "removed", "topics",
]  # fmt: skip

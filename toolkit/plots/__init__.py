"""Figures. Each function takes a DataFrame and returns the Axes it drew on.

Colours are those of Okabe and Ito, told apart in print by hatches, markers and labels; every figure names its
units and its n, is laid out to be read at the width of a journal column, and says in words what it shows: the
label of the Axes (``ax.get_label()``) is the alternative text. ``docs/gallery.md`` has one of each.
"""

from toolkit.plots.calibration import coverage, learning, reliability
from toolkit.plots.intervals import estimates, flips
from toolkit.plots.matrices import matrix
from toolkit.plots.periods import lifetimes, months, prevalence
from toolkit.plots.removal import certainty, removed
from toolkit.plots.sizes import lengths
from toolkit.plots.subjects import topics, words

__all__ = [
    "certainty",
    "coverage",
    "estimates",
    "flips",
    "learning",
    "lengths",
    "lifetimes",
    "matrix",
    "months",
    "prevalence",
    "reliability",
    "removed",
    "topics",
    "words",
]

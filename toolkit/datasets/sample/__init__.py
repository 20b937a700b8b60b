"""How the sample corpus is made and checked: ``python -m toolkit.datasets.sample [--check]``."""

from toolkit.datasets.sample.build import build
from toolkit.datasets.sample.check import Report, check

__all__ = ["Report", "build", "check"]

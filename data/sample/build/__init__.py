"""How the sample corpus is made and checked: ``python -m data.sample.build [--check]``."""

from data.sample.build.build import build
from data.sample.build.check import Report, check

__all__ = ["Report", "build", "check"]

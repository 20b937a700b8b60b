"""Boilerplate removal: templates (what repeats), model (what it sounds like), remover (decides)."""

from toolkit.boilerplate.evidence import KINDS
from toolkit.boilerplate.remover import BoilerplateRemover, clean
from toolkit.boilerplate.templates import TemplateIndex

__all__ = ["KINDS", "BoilerplateRemover", "TemplateIndex", "clean"]

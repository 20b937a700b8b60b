"""Roles: an extension for the site that shows the roles of docstrings (``:func:`x```) as code."""

from __future__ import annotations

import re
from typing import Any

from griffe import Extension

_ROLE = re.compile(r":(?:func|class|meth|mod|data|attr):`~?([^`]+)`")


class Roles(Extension):
    """Takes the role from the docstring of each object that the site shows."""

    def on_object(self, *, obj: Any, **_: Any) -> None:
        """Change the docstring in place."""
        if obj.docstring:
            obj.docstring.value = _ROLE.sub(r"`\1`", obj.docstring.value)

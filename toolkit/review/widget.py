"""Widget: a review in JupyterLab. No text of an article is in its state, so none is saved with a notebook."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import anywidget
from IPython.display import display

from toolkit.display import visible
from toolkit.display.colours import DARK, LIGHT, Theme
from toolkit.review.explorer import Explorer
from toolkit.review.session import STAYS, Session

HERE = Path(__file__).parent
STYLE = (HERE / "review.css").read_text("utf-8")
RESUME = "Every decision is saved at once. If there is no widget below, run this cell again: it continues."


def _colours(theme: Theme) -> str:
    plain = {name: colour for name, colour in theme._asdict().items() if isinstance(colour, str)}
    variables = " ".join(f"--{name.replace('_', '-')}: {colour};" for name, colour in plain.items())
    kinds = {**theme.palette, STAYS: theme.other}.items()
    rule = '.ntk-review [data-kind="{}"] {{ --ink: {}; --tint: {}; }}'.format
    rules = (rule(kind, colours.ink, colours.tint) for kind, colours in kinds)
    return " ".join([f".ntk-review {{ {variables} }}", *rules])


class ReviewWidget(anywidget.AnyWidget):
    """Shows a review, which holds all state, and passes on the reviewer's actions.

    Pages are sent to the browser as messages, one at a time, on request.
    """

    _esm = (HERE / "review.js").read_text("utf-8")
    _css = f'{STYLE} {_colours(LIGHT)} [data-jp-theme-light="false"] {{ {_colours(DARK)} }}'

    def __init__(self, review: Session | Explorer) -> None:
        super().__init__()
        self.review = review
        self.on_msg(self._answer)

    def _answer(self, _: Any, content: Any, buffers: Any) -> None:
        """Answer a message of the browser: ``{"do": name, "value": text}``, where ``show`` only asks for the page."""
        given = content if isinstance(content, dict) else {}
        action, value = given.get("do"), given.get("value")
        failure = {}
        if isinstance(action, str) and action != "show":
            try:
                self.review.do(action, value if isinstance(value, str) else None)
            except (OSError, ValueError) as error:
                failure = {"status": visible(f"not done: {error}")}
        self.send({"name": self.review.name, **self.review.page().message(), **failure})

    def __repr__(self) -> str:
        return visible(repr(self.review))

    def _ipython_display_(self) -> None:
        """Show a line and the widget: where the kernel is gone, JupyterLab has an error in its place."""
        display({"text/plain": RESUME}, raw=True)
        display(self._repr_mimebundle_(), raw=True)

    def _repr_mimebundle_(self, **options: Any) -> Any:
        """Return the widget by MIME type, in words without the limit that anywidget sets."""
        bundle = super()._repr_mimebundle_(**options)
        data = bundle[0] if isinstance(bundle, tuple) else bundle
        return {**(data or {}), "text/plain": repr(self)}

"""Halt: a signal asks a command to stop; it is remembered, because a library may swallow the exception it raises."""

from __future__ import annotations

import signal
import sys
from typing import Any

SIGNALS = (signal.SIGTERM, signal.SIGINT)
_state: dict[str, int] = {}


class Stopped(KeyboardInterrupt):
    """A signal came; raised so that half-written files are removed on the way out."""


def prepare() -> None:
    """Let a signal end the process while modules are imported; Python's own way would show where it was."""
    # any other handler is of whoever started it, who may have it ignored
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    _state["prepared"] = 1


def watch() -> None:
    """From now on raise :class:`Stopped` for the first signal, if the process was prepared; a second one ends it."""
    for number in SIGNALS if "prepared" in _state else ():
        if signal.getsignal(number) is signal.SIG_DFL:
            signal.signal(number, _heard)


def _heard(number: int, _: Any) -> None:
    for each in SIGNALS:
        if signal.getsignal(each) is _heard:
            signal.signal(each, signal.SIG_DFL)
    _state["asked"] = number
    # a callback of C, in which nothing can be raised, would show the exception
    sys.unraisablehook = lambda _: None
    raise Stopped


def asked() -> int | None:
    """Return the signal that came, or None."""
    return _state.get("asked")


def check() -> None:
    """Raise :class:`Stopped` if a signal came; called between tasks."""
    if asked():
        raise Stopped

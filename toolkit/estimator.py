"""Estimator: what scikit-learn asks of a transformer, without importing it, which would take two seconds."""

from __future__ import annotations

from inspect import signature
from typing import Any, Self


class Estimator:
    """Parameters by name, as scikit-learn's ``clone``, ``Pipeline`` and searches use them.

    The parameters are those of ``__init__``, which only stores them.
    """

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """Return the parameters."""
        return {name: getattr(self, name) for name in signature(type(self)).parameters}

    def set_params(self, **params: Any) -> Self:
        """Change parameters."""
        known = self.get_params()
        for name, value in params.items():
            if name not in known:
                msg = f"{name}: no parameter of {type(self).__name__}; there are {', '.join(known)}"
                raise ValueError(msg)
            setattr(self, name, value)
        return self

    def set_output(self, *, transform: str | None = None) -> Self:
        """Do nothing: what comes out is a pandas object already."""
        return self

    def __repr__(self) -> str:
        given = signature(type(self)).parameters
        changed = [f"{n}={v!r}" for n, v in self.get_params().items() if v is not given[n].default]
        return f"{type(self).__name__}({', '.join(changed)})"

    def __sklearn_tags__(self) -> Any:
        from sklearn.base import BaseEstimator, TransformerMixin

        return type("Transformer", (TransformerMixin, BaseEstimator), {})().__sklearn_tags__()

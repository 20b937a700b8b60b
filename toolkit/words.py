"""Words of a corpus: where they stand, which are typical of a part of it, and how often each document has them.

Scikit-learn counts. Words are those of ``clean_text`` if it is there, else of ``text``, or of the column that
``columns`` names as ``text``: two or more letters or digits, in lower case (languages that write without spaces need a
tokeniser of their own, which ``tokenizer=`` takes).
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from toolkit.corpus import CorpusLike, as_corpus, texts_of
from toolkit.errors import CorpusError, UsageError, wants
from toolkit.tables import is_cleaned

_WORD = re.compile(r"\b\w\w+\b")  # as CountVectorizer finds them by default


class DocumentFeatures(NamedTuple):
    """A document-feature matrix: how often each document has each word.

    ``matrix`` is a sparse array of int64, shape (documents, words), for any estimator of scikit-learn; ``doc_id``
    (Series of str, index of the corpus) names its rows and ``words`` (array of str, ascending) its columns.
    """

    matrix: Any
    doc_id: pd.Series[Any]
    words: np.ndarray[Any, Any]


def pattern(word: str | Iterable[str]) -> re.Pattern[str]:
    """Return what finds a word or phrase or any of several: whole, in any case; ``*`` stands for any ending of a word.

    A blank is any white space, a line break too, and an apostrophe either of the two forms.
    """
    several = [word] if isinstance(word, str) else list(word) if isinstance(word, Iterable) else []
    wrong = [each for each in several if not isinstance(each, str) or not each.strip("* ")]
    if wrong or not several:
        named = wrong[0] if wrong else word
        msg = f"word={named!r}: a word is wanted, such as 'strike' or 'strike*', or a list of such"
        raise UsageError(msg)
    if wrong := [each for each in several if re.search(r"(?<!\S)\*|\w\w\*\w|\w\*\w\w|\w\|\w", each)]:
        mend = "* stands at the end of a word; several words are a list, such as ['strike', 'flood']"
        raise UsageError(f"word={wrong[0]!r}: would find nothing; {mend}")
    escaped = (r"\s+".join(map(re.escape, word.split())) for word in several)
    ends = r"(?<=\w)\\\*(?=\\s\+|$)"  # an escaped star at the end of a word
    each = (re.sub("['’]", "['’]", re.sub(ends, r"\\w*", word)) for word in escaped)
    return re.compile(rf"(?<!\w)(?:{'|'.join(each)})(?!\w)", re.IGNORECASE)


@wants("word")
def concordance(
    corpus: CorpusLike, word: str | Iterable[str], *, width: int = 40, columns: Mapping[str, str] | None = None
) -> pd.DataFrame:  # fmt: skip
    """Return every place of a word with what stands around it (keyword in context), in the order of the corpus.

    ``word`` is a word or phrase, or several, whole, in any case; ``*`` at the end of a word stands for any ending. A
    blank is any white space, an apostrophe either form. ``columns`` are as for :func:`toolkit.clean`. Columns of the
    result: ``doc_id``, ``left`` and ``right`` (``width`` characters, line breaks as spaces), ``keyword``, ``start``
    (int64, code points into the text that was read).

    Examples
    --------
    >>> concordance("The port was closed. Ports reopen on Monday.", "port*", width=12)[["left", "keyword", "right"]]
               left keyword         right
    0          The     port   was closed.
    1  was closed.    Ports   reopen on M
    """
    wanted, frame, rows = pattern(word), as_corpus(corpus, columns), []
    for doc_id, text in zip(frame["doc_id"], texts_of(frame, columns), strict=True):
        for m in wanted.finditer(text):
            left, right = text[max(0, m.start() - width) : m.start()], text[m.end() : m.end() + width]
            rows.append((doc_id, left, m[0], right, m.start()))
    names = ["doc_id", "left", "keyword", "right", "start"]
    table = pd.DataFrame(rows, columns=names).astype({**dict.fromkeys(names[:4], "str"), "start": "int64"})
    return table.assign(**{side: table[side].str.replace("\n", " ") for side in ("left", "keyword", "right")})


def features(
    corpus: CorpusLike, *, columns: Mapping[str, str] | None = None, **options: Any
) -> DocumentFeatures:
    """Count the words of each document; options such as ``min_df`` are those of scikit-learn's ``CountVectorizer``.

    Examples
    --------
    >>> found = features(["Rain, rain and wind.", "Wind."])
    >>> found.words.tolist(), found.matrix.toarray().tolist()
    (['and', 'rain', 'wind'], [[1, 2, 1], [0, 0, 1]])
    """
    from sklearn.feature_extraction.text import CountVectorizer

    frame = as_corpus(corpus, columns)
    vectorizer = CountVectorizer(**options)
    matrix = vectorizer.fit_transform(texts_of(frame, columns))
    return DocumentFeatures(matrix, frame["doc_id"], vectorizer.get_feature_names_out())


@wants("reference")
def keyness(
    corpus: CorpusLike, reference: CorpusLike, *, least: int = 5, columns: Mapping[str, str] | None = None,
    **options: Any,
) -> pd.DataFrame:  # fmt: skip
    """Find the words that are typical of a corpus against another, such as one publisher against the others.

    Words with fewer than ``least`` occurrences in both together are left out; ``options`` are as for :func:`features`.
    Columns: ``word``, ``count``, ``reference_count`` (int64), ``log_likelihood`` (G², 1 degree of freedom: 6.63 is p =
    .01), ``log_ratio`` (how many times more frequent, as a logarithm to base 2, half an occurrence added to each;
    negative: typical of the reference); highest log-likelihood first.

    G²: Dunning 1993, as Rayson and Garside 2000 use it. It grows with the corpora, so rank the words that it finds
    certain by their log ratio (Hardie 2014). Neither allows for words that come in bursts.

    Examples
    --------
    >>> keyness(["rain rain rain wind"] * 5, ["sun sun sun wind"] * 5)[["word", "log_ratio"]].round(1).values.tolist()
    [['rain', 5.0], ['sun', -5.0], ['wind', 0.0]]
    """
    one, other = as_corpus(corpus, columns), as_corpus(reference, columns)
    halves = texts_of(one, columns), texts_of(other, columns)
    if options:
        found = features([text for half in halves for text in half], **options)
        words: Any = found.words
        matrices = found.matrix[: len(one)], found.matrix[len(one) :]
        counts = np.array([np.asarray(matrix.sum(axis=0)).ravel() for matrix in matrices])
    else:  # the same in half the time, without a matrix, and a report need not import scikit-learn
        tallies = [Counter(word for text in half for word in _WORD.findall(text.lower())) for half in halves]
        words = sorted(set().union(*tallies))
        counts = np.array([[tally[word] for word in words] for tally in tallies], np.int64)
    sizes = counts.sum(axis=1, keepdims=True)
    expected = sizes * counts.sum(axis=0) / max(1, sizes.sum())
    terms = counts * np.log(np.divide(counts, expected, out=np.ones_like(expected), where=counts > 0))
    shares = (counts + 0.5) / (sizes + 0.5)
    table = pd.DataFrame({"word": pd.Series(words, dtype="str"), "count": counts[0],
                          "reference_count": counts[1], "log_likelihood": 2 * terms.sum(axis=0),
                          "log_ratio": np.log2(shares[0] / shares[1])})  # fmt: skip
    table = table[table["count"] + table["reference_count"] >= least]
    return table.sort_values(["log_likelihood", "word"], ascending=[False, True], ignore_index=True)


def lost(corpus: CorpusLike, *, top: int = 20, **options: Any) -> pd.DataFrame:
    """Find the words, ``top`` of them, that cleaning took most of; ``options`` are as for :func:`features`.

    Columns: ``word``, ``before``, ``after`` (int64: occurrences in ``text`` and in ``clean_text``), ``fell`` (share of
    them that is gone) and ``log_likelihood`` as of :func:`keyness`; highest log-likelihood first.

    Examples
    --------
    >>> frame = pd.DataFrame({"text": ["Donate now. Rain fell."], "clean_text": ["Rain fell."]})
    >>> lost(frame, top=2)[["word", "before", "after"]].values.tolist()
    [['donate', 1, 0], ['now', 1, 0]]
    """
    frame = as_corpus(corpus)
    if not is_cleaned(frame):
        msg = "words: there are no clean texts, so nothing was cleaned; lost(toolkit.clean(corpus))"
        raise CorpusError(msg)
    table = keyness(frame["text"].tolist(), frame["clean_text"].tolist(), least=1, **options)
    table = table.rename(columns={"count": "before", "reference_count": "after"})
    table["fell"] = 1 - table["after"] / table["before"].clip(lower=1)
    table = table[table["fell"] > 0].reset_index(drop=True).head(top)
    return table[["word", "before", "after", "fell", "log_likelihood"]]

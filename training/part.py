"""A part of what is learned from, with its evidence and what cross-validation says of it."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from toolkit.boilerplate.evidence import ALONE, COLUMNS, evidence, suspicious
from toolkit.boilerplate.network import SAYS, SILENCE
from toolkit.boilerplate.proposals import NONE, Proposals, propose
from toolkit.boilerplate.reading import GROUP_OF, Reading
from toolkit.boilerplate.repetition import Seen, doubted_single
from toolkit.boilerplate.templates import Lookup
from toolkit.boilerplate.weighing import CONFIRMED, SURELY, add_network, hinting, in_doubt
from training.calibration import Scored
from training.labelled import Labelled

PLAIN = 3
"""One in so many segments beyond suspicion is learned from, and counts as often."""

EASY, FEWER = 0.9, 4
"""Of article text that its words alone tell with such a probability, one row in so many is learned from."""

MODES = ("alone", "fitted")


@dataclass
class Part:
    """A part with its evidence and with what cross-validation says of it.

    Attributes
    ----------
    of : Labelled
    read : Reading
        Scored by words that never saw the publisher.
    chosen : ndarray of int64, shape (n_rows,)
        Segments that there is evidence of: all suspicious ones, and one in :data:`PLAIN` of the others.
    suspicious : ndarray of bool, shape (n_rows,)
        Which of them the remover would weigh at all.
    rows : dict of str to ndarray
        Evidence, alone and fitted.
    sums, kind : dict of str to ndarray, shape (n_segments,)
        Out-of-fold, alone and fitted.
    asks : ndarray of float32, shape (n_segments,)
        Out-of-fold: what the block is worth that the segment is part of.
    says : ndarray of float32, shape (n_segments, len(SAYS))
        Out-of-fold: what the network says.
    proposed : Proposals
    """

    of: Labelled
    read: Reading
    chosen: NDArray[np.int64]
    suspicious: NDArray[np.bool_]
    rows: dict[str, NDArray[np.float32]]
    sums: dict[str, NDArray[np.float32]]
    kind: dict[str, NDArray[np.int64]]
    asks: NDArray[np.float32]
    says: NDArray[np.float32] = field(init=False)
    proposed: Proposals = field(init=False)

    @classmethod
    def weighed(cls, part: Labelled, read: Reading, lookup: Lookup) -> Part:
        """Gather the evidence."""
        seen = {"alone": Seen.of(read, None), "fitted": Seen.of(read, lookup)}
        doubted = suspicious(read, seen["fitted"], everywhere=True)
        plain = (part.trees > 0) & (np.arange(len(doubted)) % PLAIN == 0)
        chosen = doubted | plain
        rows = {"fitted": evidence(read, lookup, seen["fitted"], chosen)}
        rows["alone"] = np.ascontiguousarray(rows["fitted"][:, :ALONE])
        n = len(doubted)
        return cls(
            part, read, np.flatnonzero(chosen), doubted[chosen], rows,
            {mode: np.full(n, NONE, np.float32) for mode in MODES}, {mode: np.zeros(n, np.int64) for mode in MODES},
            np.full(n, NONE, np.float32),
        )  # fmt: skip

    def scored(self, mode: str, documents: NDArray[np.bool_] | None = None) -> Scored:
        """What cross-validation says of some documents, default all."""
        documents = np.ones(len(self.of.corpus), bool) if documents is None else documents
        given = (
            self.of,
            documents,
            self.sums[mode],
            self.kind[mode],
            self.asks,
            (self.read.words[:, 0] < SURELY) | (self.says[:, SAYS.index("boilerplate")] > CONFIRMED),
        )
        if mode == "alone":
            return Scored(*given)
        doubt = np.zeros(len(self.of.label))
        doubt[self.chosen] = doubted_single(self.rows[mode][:, COLUMNS.index("publisher_docs")])
        return Scored(*given, self.scored("alone", documents), doubt)

    def use(self, held: int | None, group: int | None = None) -> NDArray[np.bool_]:
        """Mark the rows that are learned from."""
        use = (self.of.trees[self.chosen] > 0) & (self.of.fold[self.chosen] != (-1 if held is None else held))
        use &= ~self.easy | (np.arange(len(use)) % FEWER == 0)
        return use if group is None else use & (self.group == group)

    def hear(self, said: NDArray[np.float32]) -> None:
        """Take down what the network says of the texts that it reads, propose blocks, and add it to the sums."""
        at, document = self.chosen[self.suspicious], self.of.document
        hinted, alone = hinting(self.read, document), self.sums["alone"]
        read = in_doubt(alone, hinted, self.of.layout, document)
        self.says = np.where(read[document, None], said, np.float32(SILENCE))
        self.proposed = propose(self.read, alone, self.says, hinted)
        repeats = self.rows["fitted"][self.suspicious, COLUMNS.index("exact_docs")] > 0
        heard = np.where(read[document[at], None], said[at], np.float32(0))
        self.sums["fitted"][at] = add_network(self.sums["fitted"][at], heard, repeats)
        alone[at] = add_network(alone[at], heard)

    @property
    def easy(self) -> NDArray[np.bool_]:
        """Mark the rows of article text that looks like article text."""
        return np.asarray((self.label == 0) & (self.read.words[self.chosen, 0] > EASY))

    @property
    def group(self) -> NDArray[np.int64]:
        """Group of layouts of each row."""
        return np.asarray(GROUP_OF[self.of.layout][self.of.document[self.chosen]])

    @property
    def weight(self) -> NDArray[np.float32]:
        """Weight of each row."""
        times = np.where(self.suspicious, 1, PLAIN) * np.where(self.easy, FEWER, 1)
        return (self.of.trees[self.chosen] * times).astype(np.float32)

    @property
    def label(self) -> NDArray[np.int8]:
        """Class of each row."""
        return self.of.label[self.chosen]

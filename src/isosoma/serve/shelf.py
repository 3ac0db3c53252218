"""Where rehearsals and plans of one patient are kept."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from isosoma.core.errors import VocabularyError
from isosoma.record import Draft, Entry
from isosoma.scenario.case import Case, cases
from isosoma.scenario.hindsight import Score, scores
from isosoma.scenario.prediction import Prediction, predictions
from isosoma.serve.telemetry import Lane

__all__ = ["Shelf", "Told"]


@dataclass(frozen=True, slots=True, eq=False)
class Told:
    """What the decisions before number `after` tell; the same object until there are new ones."""

    after: int = 0
    cases: Mapping[str, Case] = field(default_factory=dict[str, Case])
    predictions: Mapping[str, Prediction] = field(default_factory=dict[str, Prediction])
    scores: Mapping[str, dict[str, Score]] = field(default_factory=dict[str, dict[str, Score]])


@dataclass(slots=True, eq=False)
class Shelf:
    """Where rehearsals are kept: the patient's log; without one, in memory.

    What was read is remembered, and only what came since is read again: the room asks every few
    seconds. Whoever was erased is forgotten here, too.
    """

    lane: Lane | None = None
    drafts: list[Draft] = field(default_factory=list[Draft])
    _told: Told = field(default_factory=Told)
    _read: str = ""
    _reading: threading.Lock = field(default_factory=threading.Lock)

    @property
    def kept(self) -> str:
        """Return where rehearsals are kept, as a sentence."""
        if self.lane is not None:
            return "Rehearsals are kept in the patient's log."
        return "Rehearsals are kept in memory: they are gone when the server ends."

    def told(self) -> Told:
        """Return everything that was decided until now."""
        with self._reading:
            if self.lane is None:
                self._told = _after(self._told, self._since(self._told.after))
            elif self.lane.log.keys.find(self.lane.patient) is None:
                self._told, self._read = (Told() if self._told.after else self._told), ""
            elif (mark := self.lane.log.checkpoint()) != self._read:
                told = _after(self._told, self._since(self._told.after))
                self._told, self._read = told, mark
            return self._told

    def cases(self) -> Mapping[str, Case]:
        """Return all rehearsals."""
        return self.told().cases

    def predictions(self) -> Mapping[str, Prediction]:
        """Return the plans that were signed, by the id of their rehearsal."""
        return self.told().predictions

    def scores(self) -> Mapping[str, dict[str, Score]]:
        """Return how good the plans that are over were."""
        return self.told().scores

    def _since(self, first: int) -> Iterable[Entry]:
        """Return the decisions from number `first` on."""
        if self.lane is not None:
            return self.lane.log.entries(self.lane.patient, ["decision"], first)
        return [_entry(i, d) for i, d in enumerate(self.drafts[first:], first)]

    def case(self, id_: str) -> Case:
        """Return one.

        Raises
        ------
        VocabularyError
            There is none of this name.
        """
        found = self.cases().get(id_)
        if found is None:
            raise VocabularyError(
                f"no rehearsal is called {id_[:40]!r}", "rehearsal", "Make it again"
            )
        return found

    def append(self, drafts: Sequence[Draft]) -> None:
        """Keep what was done; returns when it is durable."""
        if self.lane is not None:
            self.lane.log.append(self.lane.patient, drafts, purpose="rehearsal").result()
        else:
            self.drafts += drafts


def _after(before: Told, entries: Iterable[Entry]) -> Told:
    """Return what is told with further entries; the same where there are none."""
    new = list(entries)
    if not new:
        return before
    return Told(
        new[-1].sequence + 1,
        cases(new, before.cases),
        predictions(new, before.predictions),
        scores(new, before.scores),
    )


def _entry(sequence: int, draft: Draft) -> Entry:
    """Return a draft as the log would give it back."""
    return Entry(sequence, "", draft.kind, 0, json.dumps(draft.payload).encode(), 1)

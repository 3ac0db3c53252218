"""Where rehearsals and plans of one patient are kept."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from isosoma.core.errors import VocabularyError
from isosoma.record import Draft, Entry
from isosoma.scenario.case import Case, cases
from isosoma.scenario.hindsight import Score, scores
from isosoma.scenario.prediction import Prediction, predictions
from isosoma.serve.telemetry import Lane

__all__ = ["Shelf"]


@dataclass(slots=True, eq=False)
class Shelf:
    """Where rehearsals are kept: the patient's log; without one, in memory."""

    lane: Lane | None = None
    drafts: list[Draft] = field(default_factory=list[Draft])

    @property
    def kept(self) -> str:
        """Return where rehearsals are kept, as a sentence."""
        if self.lane is not None:
            return "Rehearsals are kept in the patient's log."
        return "Rehearsals are kept in memory: they are gone when the server ends."

    def cases(self) -> dict[str, Case]:
        """Return all rehearsals."""
        return cases(self._entries())

    def predictions(self) -> dict[str, Prediction]:
        """Return the plans that were signed, by the id of their rehearsal."""
        return predictions(self._entries())

    def scores(self) -> dict[str, dict[str, Score]]:
        """Return how good the plans that are over were."""
        return scores(self._entries())

    def _entries(self) -> Iterable[Entry]:
        if self.lane is not None:
            return self.lane.log.entries(self.lane.patient, ["decision"])
        return [_entry(i, d) for i, d in enumerate(self.drafts)]

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


def _entry(sequence: int, draft: Draft) -> Entry:
    """Return a draft as the log would give it back."""
    return Entry(sequence, "", draft.kind, 0, json.dumps(draft.payload).encode(), 1)

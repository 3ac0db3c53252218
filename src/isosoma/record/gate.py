"""Who may append now: no reading twice while it waits, nothing for a patient being erased."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from isosoma.core.errors import ErasedError, RecordError

__all__ = ["Gate"]


@dataclass(slots=True)
class Gate:
    """What waits to be written, by (patient, idempotence key), and who is being erased."""

    _guard: threading.Lock = field(default_factory=threading.Lock)
    _waiting: set[tuple[str, bytes]] = field(default_factory=set[tuple[str, bytes]])
    _shut: set[str] = field(default_factory=set[str])

    def enter(self, patient: str, keys: Sequence[bytes], queue: Callable[[], object]) -> None:
        """Call `queue` and remember the keys, in one step.

        Raises
        ------
        RecordError
            A key stands twice, or waits already.
        ErasedError
            The patient is being erased.
        """
        mine = {(patient, k) for k in keys}
        if len(mine) != len(keys):
            raise RecordError("a reading stands twice in one append", todo="Give each once")
        with self._guard:
            if patient in self._shut:
                raise ErasedError("the patient is being erased", todo="Stop their streams")
            if not self._waiting.isdisjoint(mine):
                raise RecordError("a reading is in another append already", todo="Ask `unseen`")
            queue()
            self._waiting |= mine

    def leave(self, patient: str, keys: Sequence[bytes]) -> None:
        """Forget keys that are written, or failed."""
        with self._guard:
            self._waiting.difference_update((patient, k) for k in keys)

    def waiting(self, patient: str, keys: Sequence[bytes]) -> set[bytes]:
        """Return which of the keys wait to be written."""
        with self._guard:
            return {k for k in keys if (patient, k) in self._waiting}

    def shut(self, patient: str) -> None:
        """Refuse a patient's appends from now on."""
        with self._guard:
            self._shut.add(patient)

    def reopen(self, patient: str) -> None:
        """Accept a patient's appends again."""
        with self._guard:
            self._shut.discard(patient)

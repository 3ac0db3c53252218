"""Many deliveries of a live stream in one durable step; a refused one harms no other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from isosoma.core.errors import InputError
from isosoma.core.observation import Observation, Waveform
from isosoma.intake.taking import Session, Summary, take
from isosoma.record import Log

__all__ = ["Batch", "take_each"]


@dataclass(frozen=True, slots=True)
class Batch:
    """What became of several deliveries.

    Attributes
    ----------
    summary : of those that were taken.
    refused : place among the deliveries → why it was refused.
    """

    summary: Summary = field(default_factory=Summary)
    refused: Mapping[int, InputError] = field(default_factory=dict[int, InputError])


def take_each(
    log: Log,
    deliveries: Sequence[Sequence[Observation | Waveform]],
    *,
    patient: str,
    now: int,
    session: Session,
) -> Batch:
    """Take each delivery in whole or not at all; on return what was taken is on disk.

    All go to the log together. Where one is refused, halves are tried, so that a bad delivery
    among n costs about log2(n) commits and not n.

    Raises
    ------
    RecordError
        The log cannot take them; some may be in it. Delivering all again is safe.
    """
    refused: dict[int, InputError] = {}
    return Batch(_part(log, deliveries, 0, refused, patient, now, session), refused)


def _part(
    log: Log,
    deliveries: Sequence[Sequence[Observation | Waveform]],
    first: int,
    refused: dict[int, InputError],
    patient: str,
    now: int,
    session: Session,
) -> Summary:
    """Take a stretch of deliveries that begins at place `first`; note the refused ones."""
    readings = [r for one in deliveries for r in one]
    if not readings:
        return Summary()
    try:
        return take(log, readings, patient=patient, now=now, session=session)
    except InputError as error:
        if len(deliveries) == 1:
            refused[first] = error
            return Summary()
    half = len(deliveries) // 2
    left = _part(log, deliveries[:half], first, refused, patient, now, session)
    return left + _part(log, deliveries[half:], first + half, refused, patient, now, session)

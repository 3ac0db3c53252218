"""Undo and redo of a rehearsal's edits; one who edits an older version than the present is told."""

from __future__ import annotations

from dataclasses import dataclass, replace

from isosoma.core.errors import AccessError
from isosoma.scenario.rehearsal import Rehearsal

__all__ = ["History", "edited", "redo", "undo"]

_KEPT = 200


@dataclass(frozen=True, slots=True)
class History:
    """The present rehearsal, what it was before, and what was undone; versions only grow."""

    present: Rehearsal
    past: tuple[Rehearsal, ...] = ()
    undone: tuple[Rehearsal, ...] = ()


def edited(history: History, new: Rehearsal) -> History:
    """Return the history after an edit.

    Raises
    ------
    AccessError
        The edit was made on another version: somebody else edited meanwhile.
    """
    if new.version != history.present.version + 1:
        raise AccessError(
            f"version {new.version - 1} was edited, but {history.present.version} is the present "
            "one: somebody changed the rehearsal meanwhile",
            todo="Look at the present version and edit that",
        )
    return History(new, (*history.past, history.present)[-_KEPT:])


def _as(old: Rehearsal, present: Rehearsal) -> Rehearsal:
    return replace(old, version=present.version + 1)


def undo(history: History) -> History:
    """Return the history one edit earlier, as a new version; as it is where there is none."""
    if not history.past:
        return history
    *past, last = history.past
    present = _as(last, history.present)
    return History(present, tuple(past), (*history.undone, history.present))


def redo(history: History) -> History:
    """Return the history with the last undone edit made again; as it is where there is none."""
    if not history.undone:
        return history
    *undone, last = history.undone
    return History(_as(last, history.present), (*history.past, history.present), tuple(undone))

"""A rehearsal: a question, and the ways of treating that are played against each other.

Pure: every edit gives a new rehearsal with the next version. `history` undoes and redoes them,
`rehearsal_file` reads and writes them.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Literal

from isosoma.core.errors import FormatError, LimitError, RangeError, VocabularyError
from isosoma.core.units import ucum
from isosoma.organs.circulation.acts import Act, Amount, write_act

__all__ = [
    "FEWEST", "MOST", "PHYSIOLOGIES", "ROLES", "Option", "Physiology", "Rehearsal", "Step",
    "add", "add_option", "check", "digest", "move", "remove", "remove_option", "rename",
]  # fmt: skip

Physiology = Literal["", "biventricular", "shunt", "norwood", "glenn", "fontan"]
PHYSIOLOGIES: tuple[Physiology, ...] = (
    "", "biventricular", "shunt", "norwood", "glenn", "fontan",
)  # fmt: skip
"""How the two circulations are joined; empty: as the graph has it."""
ROLES = (
    "surgeon", "anaesthetist", "perfusionist", "cardiologist", "intensivist", "nurse",
)  # fmt: skip
FEWEST, MOST = 2, 12
"""Options that are compared."""
_STEPS = 60
_LONGEST = 24 * 3600.0
_WORDS = 200


@dataclass(frozen=True, slots=True)
class Step:
    """An act and who does it; by default whom the table of acts names."""

    act: Act
    role: str = ""

    @property
    def by(self) -> str:
        """Return who does it."""
        return self.role or self.act.row.role

    @property
    def text(self) -> str:
        """Return the act as it is said."""
        return write_act(self.act)


@dataclass(frozen=True, slots=True)
class Option:
    """One way of treating: its steps in order of time, none for waiting.

    Attributes
    ----------
    against : what speaks against it before it is played, a sentence each (a valve too small).
    """

    name: str
    steps: tuple[Step, ...] = ()
    against: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """A question and its options.

    Attributes
    ----------
    seconds : from the start of each option to its end [s].
    before : acts that have been done already; their effect has settled when time begins.
    physiology : where the graph does not tell it.
    version : counts the edits.
    """

    question: str
    options: tuple[Option, ...]
    seconds: float
    before: tuple[Step, ...] = field(default=())
    physiology: Physiology = ""
    version: int = 1

    def option(self, name: str) -> Option:
        """Return an option by name.

        Raises
        ------
        VocabularyError
            There is none.
        """
        found = next((o for o in self.options if o.name == name), None)
        if found is None:
            names = ", ".join(repr(o.name) for o in self.options)
            raise VocabularyError(f"no option is called {name!r}", todo=f"There are {names}")
        return found


def check(rehearsal: Rehearsal) -> Rehearsal:
    """Return a rehearsal that can be played.

    Raises
    ------
    FormatError, LimitError, RangeError, VocabularyError
        Names are missing or double, options too few or many, a step comes after the end.
    """
    _words(rehearsal.question, "question")
    if not math.isfinite(rehearsal.seconds) or not 1.0 <= rehearsal.seconds <= _LONGEST:
        raise RangeError(f"{rehearsal.seconds:g} s lies outside 1 s to 24 h", "for")
    if rehearsal.physiology not in PHYSIOLOGIES:
        raise VocabularyError(
            f"{rehearsal.physiology!r} is no physiology that is known", "physiology",
            f"Choose among {', '.join(PHYSIOLOGIES[1:])}",
        )  # fmt: skip
    count = len(rehearsal.options)
    if count < FEWEST:
        raise LimitError(
            f"{count or 'no'} option{'s' if count != 1 else ''} cannot be compared", "option",
            "Add another one; one without steps waits",
        )  # fmt: skip
    if count > MOST:
        raise LimitError(f"{count} options are more than {MOST}", "option", "Ask in two rehearsals")
    _steps(rehearsal.before, 0.0, "before")
    seen = set[str]()
    for option in rehearsal.options:
        where = f"option {option.name!r}"
        _words(option.name, "option name")
        if option.name.casefold() in seen:
            raise FormatError("two options have this name", where, "Give each its own")
        seen.add(option.name.casefold())
        _steps(option.steps, rehearsal.seconds, where)
    return rehearsal


def _words(text: str, where: str) -> None:
    if not text.strip():
        raise FormatError("it is empty", where, "Say it in a few words")
    if len(text) > _WORDS or not text.isprintable():
        raise FormatError(f"it is longer than {_WORDS} letters or holds control signs", where)


def _steps(steps: tuple[Step, ...], end: float, where: str) -> None:
    if len(steps) > _STEPS:
        raise LimitError(f"{len(steps)} steps are more than {_STEPS}", where)
    for step in steps:
        if step.role and step.role not in ROLES:
            raise VocabularyError(
                f"{step.role!r} is no role", where, f"Choose among {', '.join(ROLES)}"
            )
        if end == 0.0 and (step.act.at.si > 0.0 or step.act.lasts is not None):
            raise RangeError(
                f"{step.text!r} has a time, but what is there before has none", where,
                "Leave out 'at' and 'for'",
            )  # fmt: skip
        if end > 0.0 and step.act.at.si >= end:
            raise RangeError(
                f"{step.text!r} begins after the end, {end:g} s", where,
                "Play longer ('for'), or leave it out",
            )  # fmt: skip


def _with(rehearsal: Rehearsal, name: str, change: Callable[[Option], Option]) -> Rehearsal:
    rehearsal.option(name)
    options = tuple(change(o) if o.name == name else o for o in rehearsal.options)
    return _next(rehearsal, options)


def _next(rehearsal: Rehearsal, options: tuple[Option, ...]) -> Rehearsal:
    return check(replace(rehearsal, options=options, version=rehearsal.version + 1))


def _sorted(steps: tuple[Step, ...]) -> tuple[Step, ...]:
    return tuple(sorted(steps, key=lambda s: s.act.at.si))


def _at(option: Option, index: int) -> Step:
    if not 0 <= index < len(option.steps):
        raise RangeError(f"step {index} of {len(option.steps)} does not exist", option.name)
    return option.steps[index]


def add(rehearsal: Rehearsal, option: str, step: Step) -> Rehearsal:
    """Return the rehearsal with a further step in an option."""
    return _with(rehearsal, option, lambda o: replace(o, steps=_sorted((*o.steps, step))))


def remove(rehearsal: Rehearsal, option: str, index: int) -> Rehearsal:
    """Return the rehearsal without step `index` of an option."""
    gone = _at(rehearsal.option(option), index)
    kept = tuple(s for s in rehearsal.option(option).steps if s is not gone)
    return _with(rehearsal, option, lambda o: replace(o, steps=kept))


def move(rehearsal: Rehearsal, option: str, index: int, at: Amount) -> Rehearsal:
    """Return the rehearsal with step `index` of an option at another time."""
    if ucum(at.unit).dimensions != ucum("s").dimensions or not at.si >= 0.0:
        raise RangeError(f"{at} is no time after the start", option, "Give s, min or h")
    old = _at(rehearsal.option(option), index)
    new = replace(old, act=replace(old.act, at=at))
    steps = tuple(new if s is old else s for s in rehearsal.option(option).steps)
    return _with(rehearsal, option, lambda o: replace(o, steps=_sorted(steps)))


def rename(rehearsal: Rehearsal, option: str, name: str) -> Rehearsal:
    """Return the rehearsal with another name for an option."""
    return _with(rehearsal, option, lambda o: replace(o, name=name))


def add_option(rehearsal: Rehearsal, option: Option) -> Rehearsal:
    """Return the rehearsal with a further option."""
    return _next(rehearsal, (*rehearsal.options, option))


def remove_option(rehearsal: Rehearsal, name: str) -> Rehearsal:
    """Return the rehearsal without an option."""
    gone = rehearsal.option(name)
    return _next(rehearsal, tuple(o for o in rehearsal.options if o is not gone))


def digest(rehearsal: Rehearsal) -> str:
    """Return the SHA-256 of what is played, in hex; edits that were undone leave no trace."""
    said = [(o.name, [(s.text, s.by) for s in o.steps]) for o in rehearsal.options]
    before = [s.text for s in rehearsal.before]
    whole = (rehearsal.question, rehearsal.seconds, before, rehearsal.physiology, said)
    return hashlib.sha256(repr(whole).encode()).hexdigest()

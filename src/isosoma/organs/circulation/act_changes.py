"""From acts to interventions: what each changes, of whom, when and for how long.

Acts are what is kept, undone and done again; interventions are computed from all of them, because
a later setting of a ventilator keeps the earlier ones.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import replace

from isosoma.core.errors import FormatError
from isosoma.core.intervention import Action, Change, Intervention
from isosoma.core.units import ucum
from isosoma.organs.circulation.acts import Act, Amount, write_act
from isosoma.organs.circulation.body import Person
from isosoma.organs.circulation.rows import INPUTS
from isosoma.organs.circulation.ventilator import PEEP, Breathing, held

__all__ = ["interventions"]

GRID = 0.5
"""What runs at a rate lasts whole steps of the drugs [s], so that the dose is what was said."""
_PER_TIME = (ucum("kg/s").dimensions, ucum("s-1").dimensions)


def interventions(acts: Iterable[Act], person: Person) -> tuple[Intervention, ...]:
    """Return what acts do to the circulation of a person, in the order of their times.

    Raises
    ------
    FormatError
        A ventilator is given both a tidal volume and a pressure.
    """
    out, breathing = list[Intervention](), Breathing()
    for act in sorted(acts, key=lambda a: a.at.si):
        now = _breathing(act, breathing)
        out += _drug(act, person)
        out += _timed(act)
        changes = (*_edits(act), *_sets(act), *_breath(now, breathing, act, person))
        if changes:
            lasts = None if act.lasts is None else act.lasts.si
            out.append(_made(act, changes, lasts))
        breathing = now
    return tuple(out)


def _made(
    act: Act, changes: tuple[Change, ...], lasts: float | None = None, over: float = 0.0
) -> Intervention:
    row = act.row
    return Intervention(write_act(act), row.coding, act.at.si, row.role, changes, lasts, over)


def _change(name: str, value: float, action: Action = "set") -> Change:
    return Change("input" if name in INPUTS else "parameter", name, action, value)


def _value(act: Act, said: str | float) -> float:
    """Return a number of the table as it is, a quantity of the act in SI."""
    if not isinstance(said, str):
        return float(said)
    amount = act.amount(said)
    return 0.0 if amount is None else amount.si


def _edits(act: Act) -> tuple[Change, ...]:
    return tuple(Change("topology", edit, edit=edit) for edit in act.row.edit)


def _sets(act: Act) -> tuple[Change, ...]:
    return tuple(_change(name, _value(act, said)) for name, said in act.row.set.items())


def _timed(act: Act) -> Iterable[Intervention]:
    """Yield what runs at a rate, and what comes about gradually."""
    time = act.amount("time") if any(s.name == "time" for s in act.row.needs) else None
    for name, said in act.row.rate.items():
        spread = _whole(time)
        yield _made(act, (_change(name, _value(act, said) / spread, "add"),), spread)
    for name, said in act.row.ramp.items():
        action: Action = "add" if isinstance(said, str) else "set"
        over = 0.0 if time is None else time.si
        yield _made(act, (_change(name, _value(act, said), action),), None, over)


def _whole(time: Amount | None) -> float:
    """Return a duration [s] in whole steps of the drugs, one at least."""
    return GRID * max(1, math.ceil((0.0 if time is None else time.si) / GRID - 1e-9))


def _drug(act: Act, person: Person) -> Iterable[Intervention]:
    """Yield an infusion, which is set, or a bolus, which is added for its time."""
    if not act.row.drug or (dose := act.amount("dose")) is None:
        return
    name = f"{act.row.drug}_rate"
    mass = dose.si * (person.weight if _by_weight(dose) else 1.0)
    if ucum(dose.unit).dimensions in _PER_TIME:
        lasts = None if act.lasts is None else _whole(act.lasts)
        yield _made(act, (_change(name, mass),), lasts)
        return
    spread = _whole(act.amount("time"))
    yield _made(act, (_change(name, mass / spread, "add"),), spread)


def _by_weight(dose: Amount) -> bool:
    """Return whether it is per kg of body weight: mass over mass has no dimension."""
    return ucum(dose.unit).dimensions[1] == 0


def _breathing(act: Act, now: Breathing) -> Breathing:
    """Return how the person breathes after an act."""
    kind = act.row.breath
    if kind == "induction" and "ventilated" in act.flags:
        return Breathing("ventilated", peep=PEEP)
    if kind in ("induction", "apnoea"):
        return replace(now, mode="apnoea")
    if kind == "breathe":
        return Breathing()
    if kind == "peep":
        return replace(now, peep=_value(act, "peep"))
    return _ventilated(act, now) if kind == "ventilate" else now


def _ventilated(act: Act, now: Breathing) -> Breathing:
    said = dict(act.amounts)
    if "tidal" in said and "pressure" in said:
        raise FormatError(
            "a ventilator gives a tidal volume or a pressure", f"act {write_act(act)!r}",
            "Leave one out",
        )  # fmt: skip
    peep = said["peep"].si if "peep" in said else (now.peep or PEEP)
    return Breathing(
        "ventilated", _value(act, "rate"), _value(act, "tidal"), _value(act, "pressure"), peep
    )


def _breath(now: Breathing, before: Breathing, act: Act, person: Person) -> tuple[Change, ...]:
    if not act.row.breath or now == before:
        return ()
    return tuple(_change(name, value) for name, value in held(now, person).items())

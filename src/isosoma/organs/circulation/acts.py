"""An act as a clinician says it: ``bleed 500 mL in 10 min at 60 s``; text to `Act` and back.

::

    act     wording [quantity | word quantity | flag] … [at TIME] [for TIME]
    e.g.    phenylephrine 100 ug at 2 min
            norepinephrine 0.1 ug/kg/min from 60 s for 10 min
            replace aortic valve eoa 1.6 cm2 leak 0.05 cm2 at 60 s
            ventilate 14 /min tidal 500 mL

Every number has a unit (UCUM); none is guessed. `act_changes` makes changes of a model of it.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches

from isosoma.core.errors import FormatError, LimitError, RangeError, UnitError, VocabularyError
from isosoma.core.units import Unit, read_unit, ucum
from isosoma.organs.circulation.act_table import ACTS, WORDS, ActRow, Slot
from isosoma.organs.circulation.dose_limits import impossible, unusual

__all__ = ["Act", "Amount", "form", "read_act", "read_acts", "unusual_of", "write_act"]

_NUMBER = re.compile(r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?")
_MICROGRAM = re.compile(r"^(?:mcg|\u00b5g|\u03bcg)(?=/)")
"""How clinicians write it where no "/" follows is read by `read_unit`."""
_TIMES = {"at": "at", "from": "at", "for": "for", "in": "in", "over": "in"}
_LONGEST = 200
_MOST = 200
_LATEST = 7 * 86400.0
_MASS = ucum("kg").dimensions
_DOSES = (_MASS, ucum("kg/s").dimensions)
_BY_WEIGHT = (ucum("1").dimensions, ucum("s-1").dimensions)


@dataclass(frozen=True, slots=True)
class Amount:
    """A number with its unit, as it was said."""

    value: float
    unit: str

    @property
    def si(self) -> float:
        """Return it in SI base units."""
        read = ucum(self.unit)
        return self.value * read.factor + read.offset

    def __str__(self) -> str:
        number = repr(self.value).removesuffix(".0")
        return f"{number} {self.unit}"


@dataclass(frozen=True, slots=True)
class Act:
    """What is done, when, and how much of it.

    Attributes
    ----------
    name : row of `act_table.ACTS`.
    at : time after the start of the rehearsal.
    amounts : quantities by name, in the order of the row; those left out have their default.
    lasts : how long it holds, where that was said.
    """

    name: str
    at: Amount = Amount(0.0, "s")
    amounts: tuple[tuple[str, Amount], ...] = ()
    flags: tuple[str, ...] = ()
    lasts: Amount | None = None

    @property
    def row(self) -> ActRow:
        """Return its row of the table."""
        return ACTS[self.name]

    def amount(self, name: str) -> Amount | None:
        """Return a quantity, said or by default; None where it is optional and was left out."""
        said = dict(self.amounts).get(name)
        if said is not None:
            return said
        default = next(s.default for s in self.row.needs if s.name == name)
        return _amount(default) if default else None


def _amount(text: str) -> Amount:
    number, _, unit = text.partition(" ")
    return Amount(float(number), unit)


def write_act(act: Act) -> str:
    """Return the text that `read_act` reads as this act."""
    words = {slot.name: slot.word for slot in act.row.needs}
    parts = [act.name, *(f"{words[name]} {amount}".strip() for name, amount in act.amounts)]
    parts += [*act.flags, f"at {act.at}"]
    if act.lasts is not None:
        parts.append(f"for {act.lasts}")
    return " ".join(parts)


def read_acts(texts: Iterable[str]) -> tuple[Act, ...]:
    """Return acts in the order of their times; those of one time stay as given.

    Raises
    ------
    LimitError
        More than 200 acts.
    """
    acts = tuple(read_act(text) for text in texts)
    if len(acts) > _MOST:
        raise LimitError(f"{len(acts)} acts are more than {_MOST}", todo="Do them in two runs")
    return tuple(sorted(acts, key=lambda a: a.at.si))


def read_act(text: str) -> Act:
    """Read one act.

    Raises
    ------
    VocabularyError
        Nobody knows that act; the near ones are named.
    UnitError
        A number lacks its unit, or has one of another dimension.
    RangeError
        A quantity is negative or outside its bounds.
    FormatError, LimitError
        The words do not fit together, or are too many.
    """
    if len(text) > _LONGEST:
        raise LimitError(f"an act of {len(text)} letters is longer than {_LONGEST}")
    tokens = text.split()
    name, rest = _wording(tokens, text)
    row = ACTS[name]
    where = f"act {' '.join(tokens)!r}"
    found, flags = _quantities(rest, row, where)
    at = _time(found.pop("at", Amount(0.0, "s")), where)
    lasts = found.pop("for", None)
    amounts = tuple((s.name, found[s.name]) for s in row.needs if s.name in found)
    for slot in row.needs:
        _check(slot, found.get(slot.name), row, where)
    act = Act(name, at, amounts, flags, None if lasts is None else _time(lasts, where))
    _check_holds(act, where)
    if why := impossible(act.name, row.drug, _said(act)):
        raise RangeError(why, where, "Look at the unit and the decimal point")
    return act


def unusual_of(act: Act, weight: float) -> str:
    """Return what of an act is above the usual range of a patient of a weight [kg]; or nothing."""
    return unusual(act.name, act.row.drug, _said(act), weight)


def _said(act: Act) -> dict[str, tuple[float, str, str]]:
    """Return the quantities of an act, said or by default: value [SI], unit, and as written."""
    found = {s.name: act.amount(s.name) for s in act.row.needs}
    return {n: (a.si, a.unit, str(a)) for n, a in found.items() if a is not None}


def _wording(tokens: list[str], text: str) -> tuple[str, list[str]]:
    """Return the canonical wording, and the tokens after it."""
    lower = [t.casefold() for t in tokens]
    for n in range(min(5, len(lower)), 0, -1):
        said = " ".join(lower[:n])
        if said in WORDS:
            return WORDS[said], tokens[n:]
    words = [t for t in lower[:4] if not t[0].isdigit()]
    tries = [" ".join(words[:n]) for n in range(len(words), 0, -1)]
    near = [w for t in tries for w in get_close_matches(t, WORDS, n=3, cutoff=0.6)]
    near += [w for w in WORDS if any(len(t) > 2 and t in w.split() for t in words)]
    known = ", ".join(dict.fromkeys(near[:6] or ["bleed", "fluid", "induction", "ventilate"]))
    shown = "".join(c if c.isprintable() else " " for c in text[:60])
    raise VocabularyError(
        f"{shown!r} is no act that is known",
        todo=f"Near are {known}; `isosoma models --acts` lists all",
    )


def _quantities(
    tokens: list[str], row: ActRow, where: str
) -> tuple[dict[str, Amount], tuple[str, ...]]:
    """Return quantities by slot, "at" and "for", and flags."""
    words = _TIMES | {s.word: s.word for s in row.needs if s.word}
    slots = {s.word: s.name for s in row.needs} | {"at": "at", "for": "for"}
    found, flags, word, i = dict[str, Amount](), list[str](), "", 0
    while i < len(tokens):
        token = tokens[i].casefold()
        if token in words and not word:
            word, i = words[token], i + 1
        elif token in row.flags:
            flags, i = [*flags, token], i + 1
        else:
            amount, i = _number(tokens, i, words, row, where)
            if word not in slots:
                raise FormatError(f"{word or amount} has no place in this act", where, form(row))
            if slots[word] in found:
                raise FormatError(f"{word or 'its quantity'} is said twice", where, form(row))
            found[slots[word]], word = amount, ""
    if word:
        raise FormatError(f"nothing follows {word!r}", where, form(row))
    if len(flags) > 1:
        raise FormatError(f"{' and '.join(flags)} exclude each other", where, "Choose one")
    return found, tuple(flags)


def _number(
    tokens: list[str], i: int, words: Mapping[str, str], row: ActRow, where: str
) -> tuple[Amount, int]:
    """Read a number and its unit, joined or apart, from token `i`."""
    match = _NUMBER.match(tokens[i])
    if match is None:
        raise FormatError(f"{tokens[i]!r} has no place in this act", where, form(row))
    code, after = tokens[i][match.end() :], i + 1
    if code.startswith(","):
        raise FormatError(f"{tokens[i]!r} is no number", where, "Write a decimal point")
    if not code and after < len(tokens):
        following = tokens[after]
        if following.casefold() not in (*words, *row.flags) and not _NUMBER.match(following):
            code, after = following, after + 1
    if not code:
        raise UnitError(f"{match.group()} has no unit", where, form(row))
    value = float(match.group())
    if not math.isfinite(value):
        raise RangeError(f"{match.group()} is no finite number", where)
    try:
        return Amount(value, read_unit(_MICROGRAM.sub("ug", code)).code), after
    except UnitError as error:
        raise error.at(where) from error


def form(row: ActRow) -> str:
    """Return how the act is said."""
    parts = [row.name]
    for slot in row.needs:
        said = f"{slot.word} NUMBER {slot.unit}".strip()
        parts.append(said if slot.default is None else f"[{said}]")
    if row.flags:
        parts.append(f"[{' | '.join(row.flags)}]")
    parts.append("[at TIME]")
    if row.holds or (row.drug and not row.breath):
        parts.append("[for TIME]")
    return f"Say it as: {' '.join(parts)}"


def _time(amount: Amount, where: str) -> Amount:
    if ucum(amount.unit).dimensions != ucum("s").dimensions:
        raise UnitError(f"{amount} is no time", where, "Give s, min or h")
    if not 0.0 <= amount.si <= _LATEST:
        raise RangeError(f"{amount} lies outside 0 s to 7 d", where)
    return amount


def _check(slot: Slot, amount: Amount | None, row: ActRow, where: str) -> None:
    """Refuse a quantity that lacks, measures something else, or is outside its bounds."""
    if amount is None:
        if slot.default is None:
            raise FormatError(f"its {slot.name} is missing", where, form(row))
        return
    unit, due = ucum(amount.unit), ucum(slot.unit)
    if not (_is_dose(unit) if slot.drug else _fits(unit, due)):
        units = "mg, mg/kg, mg/min or mg/kg/min" if slot.drug else slot.unit
        raise UnitError(f"{amount} is no {slot.name} of {row.name}", where, f"Give it in {units}")
    if amount.value < 0.0:
        raise RangeError(f"a {slot.name} of {amount} is negative", where, "Leave out the minus")
    if not slot.drug and not slot.low <= amount.si / due.factor * (1.0 + 1e-12):
        raise RangeError(
            f"a {slot.name} of {amount} is below {slot.low:g} {slot.unit}", where, form(row)
        )
    if not slot.drug and amount.si / due.factor > slot.high * (1.0 + 1e-12):
        raise RangeError(
            f"a {slot.name} of {amount} is above {slot.high:g} {slot.unit}", where, form(row)
        )


def _fits(unit: Unit, due: Unit) -> bool:
    """Return whether they measure the same; a share is no mass per mass."""
    return unit.dimensions == due.dimensions and (due.code != "%" or "/" not in unit.code)


def _is_dose(unit: Unit) -> bool:
    """Return whether it is a mass, or a mass per kg, with or without per time."""
    by_weight = unit.dimensions in _BY_WEIGHT and "g/kg" in unit.code
    return by_weight or unit.dimensions in _DOSES


def _check_holds(act: Act, where: str) -> None:
    """Refuse "for" where an act does not last, and "in" with a rate."""
    row = act.row
    dose = dict(act.amounts).get("dose")
    running = dose is not None and ucum(dose.unit).dimensions in (_DOSES[1], _BY_WEIGHT[1])
    if act.lasts is not None and not (row.holds or (running and not row.breath)):
        raise FormatError("this act does not hold for a time", where, form(row))
    if act.lasts is not None and act.lasts.si <= 0.0:
        raise RangeError(f"{act.lasts} is no time to hold", where)
    if running and (row.breath or "time" in dict(act.amounts)):
        raise UnitError(
            f"{dose} is a rate", where, "Give a dose in mg or mg/kg" if row.breath
            else "A rate runs 'for' a time, a dose goes 'in' one",
        )  # fmt: skip

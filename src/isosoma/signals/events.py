"""Event predicates over time series, with delay and hysteresis, for alarms and complications.

A rule looks at one measure. It is raised when the measure has been beyond `level` for `delay`, and
cleared when it has been back behind `clear` for `clear_delay`. A latched rule stays raised until
`acknowledge`. A rule does not begin while the measure named in `unless` is above zero: positive
evidence against it, such as a pulse against asystole; nor while a rule named in `within` is raised,
which says the same more urgently. A measure that is NaN is unknown: it neither begins nor ends
anything. Limits are each patient's own (`individual`): a newborn's usual pressure is no alarm.

Red flags follow the definitions of Clifford et al. 2015 (10.1109/CIC.2015.7408639): asystole, no
beat for 4 s; extreme bradycardia, under 40/min over 5 beats; extreme tachycardia, over 140/min
over 17 beats; ventricular tachycardia, 5 ventricular beats over 100/min; ventricular fibrillation.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np
import numpy.typing as npt
from numba import njit

from isosoma.core.errors import ModelError
from isosoma.signals.pressure_limits import PressureLimits, pressure_limits

__all__ = [
    "MEASURES",
    "RULES",
    "EventState",
    "Events",
    "Rule",
    "acknowledge",
    "episodes",
    "events_start",
    "events_tick",
    "individual",
    "rules_for",
]

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

Priority = Literal["high", "medium", "low", "technical"]

MEASURES = (
    "silence", "stillness", "rate_5", "rate_17", "ventricular_run", "fibrillation", "af", "lost",
    "pulsatile", "pulse_silence", "flat", "slower_lead", "mean_pressure", "systolic_pressure",
    "line_lost",
)  # fmt: skip
"""Columns a monitor offers to its rules: seconds since a beat [s], the same where nothing since can
have been one and 4 s less where it can [s], mean rate of the last 5 and 17
beats [1/s], ventricular beats in a row over 100/min, seconds of fibrillation [s], atrial
fibrillation (0, 1), seconds without signal [s], pulses in the last 5 s proven by another channel
(0, 1), seconds since a pulse where a pressure is connected [s], seconds of unchanging signal [s],
another lead beating evenly and slower within 30 s (0, 1), mean and systolic pressure of the beats
of the last 5 s where an arterial pressure is connected [Pa], seconds without a sample of it [s].
"""


@dataclass(frozen=True, slots=True)
class Rule:
    """One predicate.

    Attributes
    ----------
    name, measure : what is raised, and the measure it looks at.
    level, clear : beyond `level` it begins, behind `clear` it ends; unit of the measure.
    above : whether beyond means above (else below).
    delay, clear_delay : how long each must hold [s].
    latched : stays raised until acknowledged.
    priority : after IEC 60601-1-8; technical ones are about the device.
    unless : a measure whose being above zero forbids the rule to begin; empty for none.
    red_flag : may cost the patient's life within minutes.
    within : rules, further up in the list, during which this one does not begin.
    """

    name: str
    measure: str
    level: float
    clear: float
    above: bool = True
    delay: float = 0.0
    clear_delay: float = 0.0
    latched: bool = False
    priority: Priority = "medium"
    unless: str = ""
    red_flag: bool = False
    within: tuple[str, ...] = ()


def _flag(name: str, measure: str, level: float, clear: float, **more: object) -> Rule:
    return Rule(name, measure, level, clear, priority="high", red_flag=True, **more)  # type: ignore[arg-type]


_VERY_LOW, _LOW, _HIGH = (
    "very low arterial pressure", "low arterial pressure", "high arterial pressure",
)  # fmt: skip
_BACK = 0.05  # share of a pressure's limit by which it must be back


def _pressure_rules(limits: PressureLimits) -> tuple[Rule, ...]:
    """Return the rules that look at the arterial pressure; low ones may kill, high ones later."""

    def low(name: str, measure: str, level: float, **more: object) -> Rule:
        clear = (1.0 + _BACK) * level
        return Rule(name, measure, level, clear, False, clear_delay=10.0, **more)  # type: ignore[arg-type]

    def high(name: str, measure: str, level: float, **more: object) -> Rule:
        clear = (1.0 - _BACK) * level
        return Rule(name, measure, level, clear, delay=30.0, clear_delay=15.0, **more)  # type: ignore[arg-type]

    return (
        low(_VERY_LOW, "mean_pressure", limits.very_low_mean, delay=8.0, priority="high",
            red_flag=True),
        low(_LOW, "mean_pressure", limits.low_mean, delay=15.0, within=(_VERY_LOW,)),
        low("low systolic pressure", "systolic_pressure", limits.low_systolic, delay=20.0,
            within=(_VERY_LOW, _LOW)),
        high(_HIGH, "mean_pressure", limits.high_mean),
        high("high systolic pressure", "systolic_pressure", limits.high_systolic, within=(_HIGH,)),
    )  # fmt: skip


RULES = (
    _flag("asystole", "stillness", 4.0, 2.0, clear_delay=3.0, unless="pulsatile"),
    _flag("ventricular fibrillation", "fibrillation", 1.5, 0.5, clear_delay=4.0),
    _flag("ventricular tachycardia", "ventricular_run", 4.5, 0.5, clear_delay=3.0),
    _flag("extreme bradycardia", "rate_5", 40.0 / 60.0, 45.0 / 60.0, above=False,
          clear_delay=5.0),
    _flag("extreme tachycardia", "rate_17", 140.0 / 60.0, 130.0 / 60.0, delay=3.0,
          clear_delay=10.0, unless="slower_lead"),
    _flag("no pulse", "pulse_silence", 6.0, 3.0, clear_delay=3.0),
    Rule("pause", "stillness", 3.0, 2.0, clear_delay=3.0, unless="pulsatile"),
    Rule("atrial fibrillation", "af", 0.5, 0.5, delay=30.0, clear_delay=30.0,
         unless="slower_lead"),
    *_pressure_rules(pressure_limits()),
    Rule("no signal", "lost", 2.0, 0.5, clear_delay=2.0, priority="technical"),
    Rule("unchanging signal", "flat", 2.0, 0.5, clear_delay=2.0, priority="technical"),
    Rule("no arterial pressure", "line_lost", 5.0, 0.5, clear_delay=2.0, priority="technical"),
)  # fmt: skip
"""What a monitor watches; limits are data, and may be replaced for a patient. Those of pressures
are an adult's. Priorities after IEC 60601-1-8:2006, table 1 (unverified): a very low pressure may
be death, and soon; a low or a high one is harm that can be mended, in minutes."""


def rules_for(limits: PressureLimits) -> tuple[Rule, ...]:
    """Return `RULES` with a patient's own limits of the arterial pressure."""
    own = {rule.name: rule for rule in _pressure_rules(limits)}
    return tuple(own.get(rule.name, rule) for rule in RULES)


class _Limits(NamedTuple):
    """The rules as arrays.

    Attributes
    ----------
    column, unless : of the measures, -1 for none; sign : -1 where below is beyond; waits : delays
        until raised and until cleared [s]; latched : all of shape (rules, ...).
    within : shape (rules, rules), whether the second forbids the first to begin.
    level, clear : shape (patients, rules), times the sign.
    """

    column: Ints
    unless: Ints
    sign: Floats
    waits: Floats
    latched: Bools
    within: Bools
    level: Floats
    clear: Floats


class EventState(NamedTuple):
    """What is watched and how it stands.

    Attributes
    ----------
    rules : shape (rules,); `limits` says where they begin and end for each patient.
    since : instant [s] since which the pending change has held; NaN where none is pending.
    raised, asked : whether the rule is raised; whether its clearing was acknowledged. These three
        have shape (patients, rules).
    """

    rules: tuple[Rule, ...]
    limits: _Limits
    since: Floats
    raised: Bools
    asked: Bools


class Events(NamedTuple):
    """Changes at one instant; arrays of shape (n,).

    Attributes
    ----------
    patient, rule : row of the fleet and index into the rules.
    at : instant [s] since the start.
    raised : True where the event begins, False where it ends.
    """

    patient: Ints
    rule: Ints
    at: Floats
    raised: Bools


def events_start(
    patients: int, rules: Sequence[Rule] = RULES, measures: Sequence[str] = MEASURES
) -> EventState:
    """Return the state before the first value.

    Raises
    ------
    ModelError
        A rule names a measure that is not offered, or its limits leave no hysteresis.
    """
    order, names = list(measures), [r.name for r in rules]
    for i, rule in enumerate(rules):
        for name in (rule.measure, rule.unless or rule.measure):
            if name not in order:
                raise ModelError(f"no measure is called {name}", f"rule {rule.name}")
        if set(rule.within) - set(names[:i]):
            raise ModelError("a rule it is within of does not stand above it", f"rule {rule.name}")
        _check(rule)
    shape = (patients, len(rules))
    limits = _Limits(
        np.array([order.index(r.measure) for r in rules], np.int64),
        np.array([order.index(r.unless) if r.unless else -1 for r in rules], np.int64),
        np.array([1.0 if r.above else -1.0 for r in rules]),
        np.array([(r.delay, r.clear_delay) for r in rules], np.float64).reshape(-1, 2),
        np.array([r.latched for r in rules], np.bool_),
        np.array([[n in r.within for n in names] for r in rules], np.bool_).reshape(-1, len(rules)),
        np.zeros(shape), np.zeros(shape),
    )  # fmt: skip
    state = EventState(
        tuple(rules), limits,
        np.full(shape, np.nan), np.zeros(shape, np.bool_), np.zeros(shape, np.bool_),
    )  # fmt: skip
    limits.level[:] = limits.sign * np.array([r.level for r in rules])
    limits.clear[:] = limits.sign * np.array([r.clear for r in rules])
    return state


def _check(rule: Rule) -> None:
    """Refuse a rule whose limits leave no hysteresis."""
    if (rule.clear > rule.level) == rule.above and rule.clear != rule.level:
        raise ModelError("it would be cleared while it is raised", f"rule {rule.name}")


def individual(state: EventState, patient: int, rules: Sequence[Rule]) -> None:
    """Give one patient of the fleet limits of their own: `level` and `clear` of `rules`.

    Raises
    ------
    ModelError
        They are other rules than those of the fleet, or leave no hysteresis.
    """
    if [r.name for r in rules] != [r.name for r in state.rules]:
        raise ModelError("these are other rules than the fleet's", todo="Change limits only")
    for rule in rules:
        _check(rule)
    sign = state.limits.sign
    state.limits.level[patient] = sign * np.array([r.level for r in rules])
    state.limits.clear[patient] = sign * np.array([r.clear for r in rules])


def events_tick(state: EventState, values: Floats, now: float) -> Events:
    """Look at the measures of one instant and return what changed; `state` is advanced in place.

    Parameters
    ----------
    values : shape (patients, measures), columns as given to `events_start`; NaN is unknown.
    now : instant [s] since the start, never earlier than the last one.
    """
    due = np.zeros(state.raised.shape, np.bool_)
    found = np.ascontiguousarray(values, np.float64)
    _look(state.limits, state.since, state.raised, state.asked, found, now, due)
    patient, rule = np.nonzero(due)
    return Events(patient, rule, np.full(len(patient), now), state.raised[patient, rule])


@njit(cache=True, nogil=True)
def _look(
    limits: _Limits,
    since: Floats,
    raised: Bools,
    asked: Bools,
    values: Floats,
    now: float,
    due: Bools,
) -> None:
    """Advance every rule of every patient in the rules' order; mark in `due` what changed."""
    for p in range(values.shape[0]):
        for k in range(len(limits.column)):
            seen = values[p, limits.column[k]] * limits.sign[k]
            if raised[p, k]:
                pending = seen < limits.clear[p, k] and (asked[p, k] or not limits.latched[k])
            else:
                pending = seen > limits.level[p, k] and not _forbidden(limits, raised, values, p, k)
            if not pending:
                since[p, k] = np.nan if seen == seen else since[p, k]
                continue
            if np.isnan(since[p, k]):
                since[p, k] = now
            if now - since[p, k] >= limits.waits[k, 1 if raised[p, k] else 0]:
                raised[p, k], due[p, k] = not raised[p, k], True
                asked[p, k], since[p, k] = False, np.nan


@njit(cache=True, nogil=True)
def _forbidden(limits: _Limits, raised: Bools, values: Floats, p: int, k: int) -> bool:
    """Whether something speaks against the rule, or says the same already."""
    if limits.unless[k] >= 0 and values[p, limits.unless[k]] > 0.0:
        return True
    return bool((limits.within[k] & raised[p]).any())


def acknowledge(state: EventState, patient: int, rule: int) -> None:
    """Let a latched rule end once its measure is back."""
    state.asked[patient, rule] = True


def episodes(rule: Rule, times: Floats, values: Floats) -> list[tuple[float, float]]:
    """Return when `rule` was raised over a whole series, as (raised, cleared) [s].

    `times` and `values` have shape (n,); an episode that never ended ends at infinity.
    """
    plain = Rule(
        rule.name, "value", rule.level, rule.clear, rule.above, rule.delay, rule.clear_delay,
        rule.latched, rule.priority,
    )  # fmt: skip
    state, out = events_start(1, (plain,), ("value",)), list[tuple[float, float]]()
    for at, value in zip(times, values, strict=True):
        for raised in events_tick(state, np.array([[value]]), float(at)).raised:
            out = [*out, (float(at), np.inf)] if raised else [*out[:-1], (out[-1][0], float(at))]
    return out

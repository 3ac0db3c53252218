"""Event predicates over time series, with delay and hysteresis, for alarms and complications.

A rule looks at one measure. It is raised when the measure has been beyond `level` for `delay`, and
cleared when it has been back behind `clear` for `clear_delay`. A latched rule stays raised until
`acknowledge`. A rule does not begin while the measure named in `unless` is above zero: positive
evidence against it, such as a pulse against asystole. A measure that is NaN is unknown: it neither
begins nor ends anything.

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

from isosoma.core.errors import ModelError

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
]

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

Priority = Literal["high", "medium", "low", "technical"]

MEASURES = (
    "silence", "stillness", "rate_5", "rate_17", "ventricular_run", "fibrillation", "af", "lost",
    "pulsatile", "pulse_silence", "flat", "slower_lead",
)  # fmt: skip
"""Columns a monitor offers to its rules: seconds since a beat [s], the same where nothing since can
have been one and 4 s less where it can [s], mean rate of the last 5 and 17
beats [1/s], ventricular beats in a row over 100/min, seconds of fibrillation [s], atrial
fibrillation (0, 1), seconds without signal [s], pulses in the last 5 s proven by another channel
(0, 1), seconds since a pulse where a pressure is connected [s], seconds of unchanging signal [s],
another lead beating evenly and slower within 30 s (0, 1).
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


def _flag(name: str, measure: str, level: float, clear: float, **more: object) -> Rule:
    return Rule(name, measure, level, clear, priority="high", red_flag=True, **more)  # type: ignore[arg-type]


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
    Rule("no signal", "lost", 2.0, 0.5, clear_delay=2.0, priority="technical"),
    Rule("unchanging signal", "flat", 2.0, 0.5, clear_delay=2.0, priority="technical"),
)  # fmt: skip
"""What a monitor watches; limits are data, and may be replaced for a patient."""


class EventState(NamedTuple):
    """Every array has shape (patients, rules).

    Attributes
    ----------
    since : instant [s] since which the pending change has held; NaN where none is pending.
    raised, asked : whether the rule is raised; whether its clearing was acknowledged.
    """

    rules: tuple[Rule, ...]
    column: Ints
    unless: Ints
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
    for rule in rules:
        for name in (rule.measure, rule.unless or rule.measure):
            if name not in measures:
                raise ModelError(f"no measure is called {name}", f"rule {rule.name}")
        if (rule.clear > rule.level) == rule.above and rule.clear != rule.level:
            raise ModelError("it would be cleared while it is raised", f"rule {rule.name}")
    order = list(measures)
    shape = (patients, len(rules))
    return EventState(
        tuple(rules),
        np.array([order.index(r.measure) for r in rules], np.int64),
        np.array([order.index(r.unless) if r.unless else -1 for r in rules], np.int64),
        np.full(shape, np.nan), np.zeros(shape, np.bool_), np.zeros(shape, np.bool_),
    )  # fmt: skip


def _limits(rules: Sequence[Rule]) -> tuple[Floats, Floats, Floats, Floats, Floats, Bools]:
    sign = np.array([1.0 if r.above else -1.0 for r in rules])
    return (
        sign,
        sign * np.array([r.level for r in rules]),
        sign * np.array([r.clear for r in rules]),
        np.array([r.delay for r in rules]),
        np.array([r.clear_delay for r in rules]),
        np.array([r.latched for r in rules]),
    )


def events_tick(state: EventState, values: Floats, now: float) -> Events:
    """Look at the measures of one instant and return what changed; `state` is advanced in place.

    Parameters
    ----------
    values : shape (patients, measures), columns as given to `events_start`; NaN is unknown.
    now : instant [s] since the start, never earlier than the last one.
    """
    sign, level, clear, delay, clear_delay, latched = _limits(state.rules)
    seen = values[:, state.column] * sign
    forbidden = (values[:, state.unless] > 0.0) & (state.unless >= 0)
    begins = ~state.raised & (seen > level) & ~forbidden
    ends = state.raised & (seen < clear) & (state.asked | ~latched)
    pending = begins | ends
    fresh = pending & np.isnan(state.since)
    state.since[fresh] = now
    state.since[~pending & ~np.isnan(seen)] = np.nan
    waited = np.where(state.raised, clear_delay, delay)
    due = pending & (now - state.since >= waited)
    state.raised[due] = ~state.raised[due]
    state.asked[due] = False
    state.since[due] = np.nan
    patient, rule = np.nonzero(due)
    return Events(patient, rule, np.full(len(patient), now), state.raised[patient, rule])


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

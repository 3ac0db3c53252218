"""The gate: one verdict for every reading, folded over event time; nothing is dropped here.

Alarms read raw data; the gate only decides what a filter may learn from.
Give readings sorted by ``(at, device, channel, seq)`` and never split one instant of one device
over two calls: a cuff's three values are judged together.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType

from isosoma.core.observation import (
    GOOD,
    WITHHOLD_BELOW,
    Observation,
    Verdict,
    Waveform,
    combine,
    effective_sigma,
)
from isosoma.core.vocabulary import VOCABULARY
from isosoma.quality.context import Context
from isosoma.quality.cuff import PRESSURE_RULES
from isosoma.quality.finding import Finding
from isosoma.quality.glucose import CGM_RULES, cgm_sigma
from isosoma.quality.heart_rate import RATE_RULES, RR_RULES
from isosoma.quality.oximetry import OXIMETRY_RULES, skin_bias
from isosoma.quality.temperature import TEMPERATURE_RULES
from isosoma.quality.view import SECOND, Rule, Trace, View
from isosoma.quality.waveform import Tail, judge_waveform

__all__ = ["State", "judge", "judge_many", "start", "uncertainty", "with_findings"]

RULES: Mapping[str, tuple[Rule, ...]] = MappingProxyType(
    {
        "systolic_pressure": PRESSURE_RULES,
        "diastolic_pressure": PRESSURE_RULES,
        "mean_arterial_pressure": PRESSURE_RULES,
        "heart_rate": RATE_RULES,
        "pulse_rate": RATE_RULES,
        "rr_interval": RR_RULES,
        "oxygen_saturation": OXIMETRY_RULES,
        "body_temperature": TEMPERATURE_RULES,
        "interstitial_glucose": CGM_RULES,
    }
)
PRESSURES = frozenset({"systolic_pressure", "diastolic_pressure", "mean_arterial_pressure"})
FUTURE = 300 * SECOND  # [ns] a device clock may run ahead
_NOTHING: dict[str, float] = {}

Reading = Observation | Waveform
Key = tuple[str, str]


@dataclass(frozen=True, slots=True)
class State:
    """What the gate remembers of one patient; plain values, replaced and never changed.

    Attributes
    ----------
    traces : variable → (device, channel) → past.
    tails : (variable, device, channel) → last samples of a waveform.
    findings : set-up faults in force.
    """

    context: Context = field(default_factory=Context)
    traces: Mapping[str, Mapping[Key, Trace]] = field(default_factory=dict)
    tails: Mapping[tuple[str, str, str], Tail] = field(default_factory=dict)
    findings: tuple[Finding, ...] = ()


def start(context: Context = Context()) -> State:  # noqa: B008 - frozen, so shared safely
    """Return the state before the first reading."""
    return State(context)


def with_findings(state: State, findings: Iterable[Finding]) -> State:
    """Return the state with these set-up faults in force instead of the earlier ones."""
    return replace(state, findings=tuple(findings))


def judge(state: State, reading: Reading) -> tuple[State, Verdict]:
    """Judge one reading; see `judge_many`."""
    state, verdicts = judge_many(state, (reading,))
    return state, verdicts[0]


def judge_many(state: State, readings: Sequence[Reading]) -> tuple[State, list[Verdict]]:
    """Judge readings in the order given.

    Returns
    -------
    The state after the last reading, and one verdict per reading.
    """
    beside = _beside(readings)
    traces = {name: dict(channels) for name, channels in state.traces.items()}
    tails = dict(state.tails)
    verdicts: list[Verdict] = []
    for r, values in zip(readings, beside, strict=True):
        if isinstance(r, Waveform):
            key = (r.variable, r.device, r.channel)
            tails[key], found = judge_waveform(tails.get(key), r)
            at = r.start
        else:
            found = _judge(r, state.context, values, traces)
            at = r.at
        if state.findings:
            found = _with_set_up(found, state.findings, r, at)
        verdicts.append(found)
    return State(state.context, traces, tails, state.findings), verdicts


def _beside(readings: Sequence[Reading]) -> list[dict[str, float]]:
    """What each reading's device read at the same instant; a channel's own values come first.

    A monitor's cuff and line tell the same variables: one channel with several pressures is whole
    in itself and borrows none.
    """
    own: dict[tuple[int, str, str], dict[str, float]] = {}
    each: list[dict[str, float]] = []
    for r in readings:
        if isinstance(r, Waveform):
            each.append(_NOTHING)
            continue
        key = (r.at, r.device, r.channel)
        values = own.get(key)
        if values is None:
            values = own[key] = {}
        values[r.variable] = r.value
        each.append(values)
    _borrow(own)
    return each


def _borrow(own: Mapping[tuple[int, str, str], dict[str, float]]) -> None:
    """Give each channel what its device's other channels read at the same instant."""
    together: dict[tuple[int, str], dict[str, float]] = {}
    for (at, device, _), values in own.items():
        together.setdefault((at, device), {}).update(values)
    for (at, device, _), values in own.items():
        others = together[at, device]
        if len(others) > len(values):
            whole = len(PRESSURES & values.keys()) > 1
            for name, value in others.items():
                if not (whole and name in PRESSURES):
                    values.setdefault(name, value)


def _judge(
    obs: Observation,
    context: Context,
    beside: Mapping[str, float],
    traces: dict[str, dict[Key, Trace]],
) -> Verdict:
    """Judge one observation against its channel's past, then remember it."""
    at, value, variable = obs.at, obs.value, obs.variable
    channels = traces.get(variable)
    if channels is None:
        channels = traces[variable] = {}
    impossible = _impossible(obs)
    if impossible is not None:
        return impossible
    key = (obs.device, obs.channel)
    trace = channels.get(key)
    found: list[Verdict] = []
    if variable in RULES:
        view = View(context, trace, beside, traces)
        found = [v for rule in RULES[variable] if (v := rule(obs, view)) is not None]
    if trace is None:
        channels[key] = Trace(((at, value),), at, at)
    elif at >= trace.recent[-1][0]:
        channels[key] = trace.extend(at, value)
    return combine(found) if found else GOOD


def _impossible(obs: Observation) -> Verdict | None:
    """What no body can have and no clock can say; it is not remembered as the channel's past."""
    row = VOCABULARY.get(obs.variable)
    if not math.isfinite(obs.value):
        return Verdict("the value is not a number: the device measured nothing", 0.0)
    if row is not None and not row.low <= obs.value <= row.high:
        return Verdict(f"{row.label} is outside what is possible: check value and unit", 0.0)
    if obs.at > obs.received + FUTURE:
        return Verdict("measured more than 5 min in the future: set the device's clock", 0.0)
    return None


def _with_set_up(
    verdict: Verdict, findings: tuple[Finding, ...], reading: Reading, at: int
) -> Verdict:
    """Lower the weight by every set-up fault that touches the reading."""
    touched = [
        f for f in findings if f.touches(reading.variable, reading.device, reading.channel, at)
    ]
    if not touched:
        return verdict
    weight = verdict.weight / max(f.sigma_factor for f in touched)
    reasons = [verdict.reason] if verdict.reason else []
    return Verdict("; ".join(dict.fromkeys([*reasons, *(f.reason for f in touched)])), weight)


def uncertainty(obs: Observation, verdict: Verdict, state: State) -> tuple[float, float]:
    """Return ``(sigma, bias)`` a filter should assume, k = 1, in the variable's SI unit.

    The noise grows as sigma / weight and is infinite below a weight of 0.3. What persists (pigment,
    a transducer's height, a wrong cuff) goes into the bias, which does not average out.
    """
    sigma = obs.sigma
    if obs.variable == "interstitial_glucose":
        sigma = max(sigma, cgm_sigma(obs.value))
    parts = [obs.bias]
    if obs.variable == "oxygen_saturation":
        parts.append(skin_bias(obs.value, state.context))
    parts += [
        f.bias for f in state.findings if f.touches(obs.variable, obs.device, obs.channel, obs.at)
    ]
    if verdict.weight < WITHHOLD_BELOW:
        return math.inf, math.hypot(*parts)
    return effective_sigma(sigma, verdict), math.hypot(*parts)

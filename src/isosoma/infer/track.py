"""One step of tracking: walk to the instant, predict, judge the readings, learn, tell.

A pure function of belief, readings and settings. Random numbers are a function of patient, step
and member, so the same readings in the same event order give the same bits.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from isosoma.core.errors import ModelError, TimeError
from isosoma.core.observation import Observation, effective_sigma
from isosoma.infer import etkf
from isosoma.infer.belief import Belief, ChannelKey, Decision, Reading, Report, Settings
from isosoma.infer.bias import bias_of
from isosoma.infer.censoring import equivalent
from isosoma.infer.drift import accumulate, drifting, halved
from isosoma.infer.emulator import Predict
from isosoma.infer.gate import Gate, factor, step_streak, surprised_together
from isosoma.infer.noise import Channel, learn, variance
from isosoma.infer.philox import STREAMS
from isosoma.infer.walk import open_rows, opening, walk_rows

__all__ = ["assimilate", "forecast"]

Floats = npt.NDArray[np.float64]
_SIDES = {"none": 0, "below": -1, "above": 1}


@dataclass(frozen=True, slots=True, eq=False)
class _Heard:
    """A reading that may teach: its row of predictions, noise and channel."""

    place: int  # among the readings of the step
    observation: Observation
    column: int
    bias: int
    sigma: float
    model_error: float
    channel: Channel
    trusted: bool
    red_flag: bool


@dataclass(frozen=True, slots=True, eq=False)
class _Judged:
    """A heard reading after the gate: the value and variance the analysis takes."""

    heard: _Heard
    nu: float
    value: float
    variance: float
    reason: str


@dataclass(frozen=True, slots=True, eq=False)
class _Before:
    """Forecast members (n, N), their outputs (p, N), and what the gate says."""

    rows: Floats
    outputs: Floats
    failed: int
    judged: list[_Judged]


@dataclass(frozen=True, slots=True, eq=False)
class _After:
    """The analysis of a `_Before`."""

    rows: Floats
    outputs: Floats
    nis: tuple[float, int]
    channels: tuple[tuple[ChannelKey, Channel], ...]
    drift: Floats


def forecast(belief: Belief, at: int, settings: Settings) -> Belief:
    """Return the belief at `at` [ns] without new data: the older the data, the wider."""
    if at < belief.at:
        raise TimeError(
            f"a belief of {belief.at} ns cannot be moved back to {at} ns",
            todo="Replay late readings from an earlier checkpoint (isosoma.infer.replay)",
        )
    rows = np.array(belief.z.T, order="C")
    key = np.array([belief.patient, STREAMS["walk"]], dtype=np.uint64)
    dt = (at - belief.at) * 1e-9
    walk_rows(rows, settings.table, dt, key, belief.step, np.empty_like(rows))
    return Belief(
        belief.patient, at, belief.step, rows.T, belief.drift, belief.context, belief.channels
    )


def assimilate(
    belief: Belief, at: int, readings: Sequence[Reading], predict: Predict, settings: Settings
) -> tuple[Belief, Report]:
    """Return the belief after `readings` of instant `at` [ns], and what was made of each.

    Parameters
    ----------
    predict : ``(theta (N, n), context (k,)) -> (N, p)`` in the units of the readings; rows of NaN
        are members that failed.
    """
    context, heard, decisions = _hear(belief, readings, settings)
    rows = np.ascontiguousarray(forecast(belief, at, settings).z.T)
    table, n, dt = settings.table, len(settings.walks), (at - belief.at) * 1e-9
    before = _look(rows, context, heard, predict, settings, frozenset())
    accused = _accused(before.judged, settings)
    if accused:
        seconds = np.full(n, max(dt, settings.gate.horizon))
        extra = opening(table[:n], seconds, _boost(before.judged, settings.gate))
        _open(rows, extra, belief, "suspect", settings)
        before = _look(rows, context, heard, predict, settings, accused)
    after = _learn(before, belief, dt, settings)
    fast = drifting(after.drift, settings.drift)
    if fast:
        extra = np.zeros(n)
        for k, seconds in fast:
            extra[k] = opening(table[k : k + 1], np.array([seconds]), settings.drift.boost)[0]
        _open(rows, extra, belief, "drift", settings)
        before = _look(rows, context, heard, predict, settings, accused)
        again = _learn(before, belief, dt, settings)
        after = replace(again, drift=halved(after.drift, settings.drift))
    for j in before.judged:
        decisions[j.heard.place] = Decision(j.heard.observation, j.nu, j.variance, j.reason)
    said = _out_of_sync(before.judged, accused)
    done = Belief(
        belief.patient, at, belief.step + 1, after.rows.T, after.drift, context, after.channels
    )
    faster = tuple(k for k, _ in fast)
    return done, Report(
        at,
        tuple(decisions),
        before.outputs.T,
        after.outputs.T,
        after.nis,
        before.failed,
        said,
        faster,
    )


def _open(rows: Floats, extra: Floats, belief: Belief, stream: str, settings: Settings) -> None:
    """Widen the parameters among `rows` in place by variances `extra` (n,)."""
    n = len(settings.walks)
    key = np.array([belief.patient, STREAMS[stream]], dtype=np.uint64)
    open_rows(rows[:n], settings.table, extra, key, belief.step, np.empty((n, rows.shape[1])))


def _hear(
    belief: Belief, readings: Sequence[Reading], settings: Settings
) -> tuple[tuple[float, ...], list[_Heard], list[Decision]]:
    """Sort readings into context, what may teach, and what cannot (told in the decisions)."""
    context, heard, decisions = list(belief.context), [], []
    channels = dict(belief.channels)
    for place, reading in enumerate(readings):
        o = reading.observation
        sigma = effective_sigma(o.sigma, reading.verdict)
        reason = _unfit(o, sigma, reading, settings)
        if not reason and o.variable in settings.inputs:
            context[settings.inputs.index(o.variable)] = o.value
            reason = "taken as an input of the model"
        decisions.append(Decision(o, reason=reason))
        if reason:
            continue
        column = settings.outputs.index(o.variable)
        error = settings.model_error[column] if settings.model_error else 0.0
        channel = channels.get((o.device, o.channel, o.variable), Channel())
        bias = bias_of(settings.biases, o.variable, o.device)
        trusted = reading.verdict.weight >= settings.gate.trust
        heard.append(
            _Heard(place, o, column, bias, sigma, error, channel, trusted, reading.red_flag)
        )
    return tuple(context), heard, decisions


def _unfit(o: Observation, sigma: float, reading: Reading, settings: Settings) -> str:
    """Why a reading cannot teach, or nothing."""
    if sigma == math.inf:
        return f"withheld: {reading.verdict.reason or 'its quality is too low'}"
    if o.variable not in settings.outputs and o.variable not in settings.inputs:
        return f"the model neither predicts nor needs {o.variable}"
    if not math.isfinite(o.value):
        return "withheld: no finite value"
    if o.variable in settings.outputs and sigma <= 0.0:
        return "withheld: its noise is not known; give sigma"
    if o.variable in settings.inputs and o.censoring != "none":
        return "withheld: a limit is no input"
    return ""


def _look(
    rows: Floats,
    context: tuple[float, ...],
    heard: list[_Heard],
    predict: Predict,
    settings: Settings,
    believed: frozenset[int],
) -> _Before:
    """Predict with `rows` (failed members become their neighbours) and judge what was heard."""
    outputs, failed = _predict(rows, context, predict, settings)
    judged = [
        _judge(h, _seen(h, rows, outputs, settings), settings, h.place in believed) for h in heard
    ]
    return _Before(rows, outputs, failed, judged)


def _predict(
    rows: Floats, context: tuple[float, ...], predict: Predict, settings: Settings
) -> tuple[Floats, int]:
    """Return outputs (p, N) and how many members failed; these become their neighbours."""
    n = len(settings.walks)
    out = np.array(predict(rows[:n].T, np.array(context)).T, dtype=np.float64, order="C")
    if out.shape != (len(settings.outputs), rows.shape[1]):
        raise ModelError(
            f"predict gave {out.T.shape}, not members by outputs {settings.outputs}",
            todo="Return one row a member and one column an output",
        )
    return out, etkf.replace_failed(rows, out)


def _seen(h: _Heard, rows: Floats, outputs: Floats, settings: Settings) -> Floats:
    """Return what each member says the reading should be (N,): output plus the sensor's bias."""
    if h.bias < 0:
        return outputs[h.column]
    return outputs[h.column] + settings.biases[h.bias].sd * rows[len(settings.walks) + h.bias]


def _judge(h: _Heard, seen: Floats, settings: Settings, believed: bool) -> _Judged:
    deviations = np.empty_like(seen)
    mean = etkf.centre(seen, deviations)
    spread2 = etkf.dot(deviations, deviations) / (len(seen) - 1)
    R = variance(h.sigma, h.model_error, h.channel, settings.adaptive)
    nu = (h.observation.value - mean) / math.sqrt(spread2 + R)
    side = _SIDES[h.observation.censoring]
    if side and nu * side <= 0.0:
        nu = 0.0  # the prediction already lies where the limit says
    if h.red_flag and abs(nu) > settings.gate.soft:
        times, reason = 1.0, "red flag: taken past the gate"
    else:
        times = factor(nu, settings.gate, believed)
        reason = _words(nu, times, believed)
    if times == math.inf:
        return _Judged(h, nu, h.observation.value, times, reason)
    if not side:
        return _Judged(h, nu, h.observation.value, R * times, reason)
    value, noise = equivalent(h.observation.value, side, mean, spread2, R * times)
    said = "taken as a limit" if math.isfinite(noise) else "a limit that was expected"
    return _Judged(h, nu, value, noise, reason or said)


def _words(nu: float, times: float, believed: bool) -> str:
    if times == 1.0:
        return ""
    if times == math.inf:
        return f"rejected: {abs(nu):.1f} standard deviations from the prediction"
    if believed:
        return f"the patient is suspected: taken with its noise variance times {times:.1f}"
    return f"surprising: taken with its noise variance times {times:.1f}"


def _accused(judged: list[_Judged], settings: Settings) -> frozenset[int]:
    """Return places of readings whose surprise is the patient's rather than the sensor's."""
    gate = settings.gate
    found = [
        (j.heard.observation.variable, j.heard.observation.device, j.nu)
        for j in judged
        if j.heard.trusted and j.variance == math.inf
    ]
    together = surprised_together(found, gate)
    alarmed = any(_alarms(j, gate) for j in judged)
    out: set[int] = set()
    for j in judged:
        h = j.heard
        streak = step_streak(h.channel.streak, j.nu, gate)
        with_others = alarmed or h.observation.variable in together
        surprised = j.variance == math.inf and h.trusted
        if (surprised and (abs(streak) >= gate.streak or with_others)) or _alarms(j, gate):
            out.add(h.place)
    return frozenset(out)


def _alarms(j: _Judged, gate: Gate) -> bool:
    """Whether a reading is a red flag that was not expected: it accuses the patient by itself."""
    return j.heard.red_flag and abs(j.nu) > gate.soft


def _boost(judged: list[_Judged], gate: Gate) -> float:
    """Return how many times faster than its walk a suspected patient moves.

    A red flag may be a collapse within one interval: the further off, the wider the search.
    """
    worst = max((abs(j.nu) for j in judged if _alarms(j, gate)), default=gate.soft)
    return gate.boost * (worst / gate.soft) ** 2


def _out_of_sync(judged: list[_Judged], accused: frozenset[int]) -> str:
    if not accused:
        return ""
    names = sorted({j.heard.observation.variable for j in judged if j.heard.place in accused})
    return (
        f"the twin is out of sync with {', '.join(names)}: either the patient has changed or more "
        "than one reading is wrong. Look at the patient, and measure with a second sensor"
    )


def _learn(before: _Before, belief: Belief, dt: float, settings: Settings) -> _After:
    """Return the analysis of what was taken; `before` is left as it is."""
    taken = [j for j in before.judged if j.variance < math.inf]
    rows, outputs, n = before.rows.copy(), before.outputs.copy(), len(settings.walks)
    N, p = rows.shape[1], len(taken)
    seen = np.empty((p, N))
    for k, j in enumerate(taken):
        seen[k] = _seen(j.heard, rows, outputs, settings)
    first = [j.value - etkf.mean(row) for j, row in zip(taken, seen, strict=True)]
    nis, drift = 0.0, belief.drift
    if taken:
        U, shift, shrink = np.empty((p, N)), np.empty(p), np.empty(p)
        y, R = np.array([j.value for j in taken]), np.array([j.variance for j in taken])
        nis = etkf.transform(seen, y, R, U, shift, shrink)
        moved = np.empty((len(rows), 3))
        etkf.apply(rows, U, shift, shrink, settings.relax, moved)
        drift = accumulate(drift, moved[:n], dt, settings.drift)
        for block in (outputs, seen):
            etkf.apply(block, U, shift, shrink, settings.relax, np.empty((len(block), 3)))
    last = [j.value - etkf.mean(row) for j, row in zip(taken, seen, strict=True)]
    products = {j.heard.place: (a, b) for j, a, b in zip(taken, first, last, strict=True)}
    channels = _remember(before.judged, products, dict(belief.channels), settings)
    return _After(rows, outputs, (nis, p), channels, drift)


def _remember(
    judged: list[_Judged],
    products: dict[int, tuple[float, float]],
    channels: dict[ChannelKey, Channel],
    settings: Settings,
) -> tuple[tuple[ChannelKey, Channel], ...]:
    """Return what is known of each channel after this step."""
    for j in judged:
        h, o = j.heard, j.heard.observation
        streak = step_streak(h.channel.streak, j.nu, settings.gate)
        channel = Channel(streak, h.channel.count, h.channel.ratio)
        if settings.adaptive and h.place in products and o.censoring == "none":
            channel = learn(channel, *products[h.place], h.sigma * h.sigma)
        channels[o.device, o.channel, o.variable] = channel
    return tuple(sorted(channels.items()))

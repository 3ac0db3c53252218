"""Numbers beside the traces: what the twin expects now and later, and what devices read."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from isosoma.core.observation import Observation
from isosoma.core.quantity import Z90, show_unit
from isosoma.core.units import convert, ucum
from isosoma.core.vocabulary import VOCABULARY
from isosoma.serve.cycle import Cycle
from isosoma.serve.live_messages import Band, Bands, Number
from isosoma.twin.fold import Twin, stale_after
from isosoma.twin.forecasting import expected

__all__ = ["SAID", "Predicted", "bands", "numbers_of", "predicted", "readings_of", "shown_value"]

Floats = npt.NDArray[np.float64]

SAID = (
    "mean_arterial_pressure", "systolic_pressure", "diastolic_pressure", "heart_rate",
    "cardiac_output", "stroke_volume", "left_ventricular_ejection_fraction",
    "left_ventricular_end_diastolic_volume", "left_ventricular_end_systolic_volume",
    "central_venous_pressure", "left_atrial_pressure", "mean_pulmonary_pressure",
    "oxygen_saturation", "mixed_venous_saturation", "haemoglobin",
)  # fmt: skip
FORESEEN = (
    "mean_arterial_pressure", "systolic_pressure", "diastolic_pressure", "heart_rate",
    "cardiac_output", "oxygen_saturation",
)  # fmt: skip
AHEAD = (0.0, 5.0, 10.0, 15.0, 20.0, 25.0, 30.0)  # [min]
_RESISTANCE = "mm[Hg].min/L"


@dataclass(frozen=True, slots=True, eq=False)
class Predicted:
    """Members (N, p) of `SAID` [SI] at an instant [ns]."""

    at: int
    members: Floats

    def of(self, name: str) -> Floats:
        """Return the members of one output [SI]."""
        return self.members[:, SAID.index(name)]


def predicted(twin: Twin, at: int) -> Predicted:
    """Return what the twin expects at an instant [ns], not before its newest reading."""
    return Predicted(at, expected(twin, at, SAID).members)


def numbers_of(
    twin: Twin, found: Predicted | None, cycle: Cycle | None, now: int
) -> dict[str, Number]:
    """Return the simulated numbers; ages are those of readings of the same variable."""
    if found is None or not len(found.members):
        return {}
    newest = twin.newest()
    out = dict[str, Number]()
    for name in SAID:
        at = newest.get(name)
        age = None if at is None else max(0.0, (now - at) * 1e-9)
        out[name] = _simulated(name, found.of(name), age)
    drop = found.of("mean_arterial_pressure") - found.of("central_venous_pressure")
    flow = found.of("cardiac_output")
    ratio = drop[flow > 0.0] / flow[flow > 0.0]
    out["systemic_vascular_resistance"] = _number("SVR", ratio, _RESISTANCE)
    if cycle is not None:
        filled = cycle.rows["p_lv"][:, 0]
        out["left_ventricular_end_diastolic_pressure"] = _number("LVEDP", filled, "mm[Hg]")
    return out


def _simulated(name: str, members: Floats, age: float | None) -> Number:
    row = VOCABULARY[name]
    low, mid, high = np.quantile(members, [0.05, 0.5, 0.95])
    values = [shown_value(name, float(v)) for v in (mid, low, high)]
    old = age is not None and age > stale_after(name)
    return Number(
        row.label, values[0], values[1], values[2], show_unit(row.shown), "simulated", age, old
    )


def _number(label: str, members: Floats, unit: str) -> Number:
    factor = ucum(unit).factor
    low, mid, high = np.quantile(members / factor, [0.05, 0.5, 0.95])
    values = [float(f"{v:.4g}") for v in (mid, low, high)]
    return Number(label, values[0], values[1], values[2], show_unit(unit), "simulated")


def shown_value(name: str, value: float) -> float:
    """Return a value [SI] of a variable in its shown unit, to five digits."""
    row = VOCABULARY[name]
    return float(f"{convert(value, row.unit, row.shown, row.molar_mass or None):.5g}")


def readings_of(twin: Twin, seen: Iterable[Observation], now: int) -> dict[str, Number]:
    """Return the newest reading of each variable and device, with the device's own noise."""
    newest = dict[str, Observation]()
    for r in (*twin.first, *twin.timeline.readings):
        _put(newest, r.observation)
    for o in seen:
        _put(newest, o)
    return {key: _measured(o, now) for key, o in newest.items()}


def _put(newest: dict[str, Observation], o: Observation) -> None:
    key = f"{o.variable}@{o.device or 'unnamed'}"
    if key not in newest or newest[key].at <= o.at:
        newest[key] = o


def _measured(o: Observation, now: int) -> Number:
    row = VOCABULARY[o.variable]
    half = Z90 * max(o.sigma, 0.0)
    low, high = max(o.value - half, row.low), min(o.value + half, row.high)
    values = [shown_value(o.variable, v) for v in (o.value, low, high)]
    age = max(0.0, (now - o.at) * 1e-9)
    unit = show_unit(row.shown)
    old = age > stale_after(o.variable)
    return Number(
        row.label, values[0], values[1], values[2], unit, "measured", age, old, device=o.device
    )


def bands(twin: Twin, now: int) -> Bands:
    """Return what is expected from `now` [ns] on, if nothing is done."""
    found = [expected(twin, now + round(m * 60e9), FORESEEN) for m in AHEAD]
    outputs = {name: _band(name, [f.members[:, i] for f in found])
               for i, name in enumerate(FORESEEN)}  # fmt: skip
    units: Mapping[str, str] = {n: show_unit(VOCABULARY[n].shown) for n in FORESEEN}
    failed = max(f.failed for f in found)
    return Bands(now * 1e-9, list(AHEAD), outputs, dict(units), failed)


def _band(name: str, over: list[Floats]) -> Band:
    rows = np.array([np.quantile(m, [0.5, 0.05, 0.95]) for m in over])
    value, low, high = ([shown_value(name, float(v)) for v in column] for column in rows.T)
    return Band(value, low, high)

"""What a beat was: extremes, means and volumes over the last whole cycle of each member.

Taken by phase, never by a fixed window: the heart rate moves. A feature is a row that keeps the
value of the last whole beat, beside rows that gather the present one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

from isosoma.physics.program import Line

__all__ = ["FEATURES", "Feature", "beat_lines", "beat_rows"]

How = Literal["max", "min", "mean", "volume", "held", "during"]


@dataclass(frozen=True, slots=True)
class Feature:
    """A row about a beat.

    Attributes
    ----------
    of : expression of rows.
    how : max, min, mean over time; volume: integral over time; held: the value at the end;
        during: mean with the weight `when` [1], 0 to 1.
    unit : SI.
    needs : parts of the graph it speaks about.
    """

    of: str
    how: How
    unit: str
    needs: tuple[str, ...] = ()
    when: str = ""


def _forward(valve: str) -> str:
    # Soft at its edges: a tenth of the last beat's peak counts in full. A shut valve's flow dies
    # out slowly and is none, and a sample more or less at an edge moves no mean.
    flow, peak = f"max(q_{valve}, 0.0)", f"beat_{valve}_peak"
    return f"min({flow} / (0.1 * {peak}), 1.0) if {peak} > 0.0 else 0.0"


def _drop(valve: str) -> str:
    speed = f"(q_{valve} * per_{valve}_area)"
    return f"0.5 * blood_density * {speed} * {speed}"


_ALL: dict[str, Feature] = {
    "beat_sbp": Feature("p_line", "max", "Pa"),
    "beat_dbp": Feature("p_line", "min", "Pa"),
    "beat_map": Feature("p_line", "mean", "Pa"),
    "beat_lv_edv": Feature("V_lv", "max", "m3"),
    "beat_lv_esv": Feature("V_lv", "min", "m3"),
    "beat_lv_peak": Feature("p_lv", "max", "Pa"),
    "beat_rv_edv": Feature("V_rv", "max", "m3", ("rv",)),
    "beat_rv_esv": Feature("V_rv", "min", "m3", ("rv",)),
    "beat_rv_peak": Feature("p_rv", "max", "Pa", ("rv",)),
    "beat_la": Feature("p_la", "mean", "Pa"),
    "beat_pa_max": Feature("p_pa", "max", "Pa"),
    "beat_pa_min": Feature("p_pa", "min", "Pa"),
    "beat_pa": Feature("p_pa", "mean", "Pa"),
    "beat_forward": Feature("q_aortic", "volume", "m3"),
    "beat_aortic_leak": Feature("max(-q_aortic, 0.0)", "volume", "m3"),
    "beat_mitral_leak": Feature("max(-q_mitral, 0.0)", "volume", "m3"),
    "beat_lung": Feature("q_pulmonary_artery", "mean", "m3/s"),
    "beat_aortic_peak": Feature("q_aortic", "max", "m3/s"),
    "beat_mitral_peak": Feature("q_mitral", "max", "m3/s"),
    "beat_e_wave": Feature("q_mitral if e_a < 0.05 else 0.0", "max", "m3/s"),
    "beat_a_wave": Feature("q_mitral if e_a >= 0.05 else 0.0", "max", "m3/s"),
    "beat_aortic_gradient": Feature(_drop("aortic"), "during", "Pa", (), _forward("aortic")),
    "beat_mitral_gradient": Feature(_drop("mitral"), "during", "Pa", (), _forward("mitral")),
    "beat_systemic": Feature("q_upper + q_lower + q_coronary", "mean", "m3/s"),
    "beat_coronary": Feature("q_coronary", "mean", "m3/s"),
    "beat_cvp": Feature("p_central", "mean", "Pa"),
}
FEATURES: Mapping[str, Feature] = MappingProxyType(_ALL)


def fitting(parts: frozenset[str]) -> dict[str, Feature]:
    """Return the features that a graph with these parts has."""
    return {n: f for n, f in FEATURES.items() if parts.issuperset(f.needs)}


def beat_rows(parts: frozenset[str]) -> dict[str, str]:
    """Return the rows of all features and of what gathers them, with units."""
    out = {"beat_phase": "1", "beat_samples": "1", "beat_late": "s", "beat_length": "s"}
    for name, feature in fitting(parts).items():
        gathered = "m3/s" if feature.how == "volume" else feature.unit
        out |= {name: feature.unit, f"{name}_so_far": gathered}
        if feature.how == "during":
            out[f"{name}_while"] = "1"
    return out


def beat_lines(parts: frozenset[str], dt: str) -> tuple[Line, ...]:
    """Return the lines of one sample, `dt` (a name, [s]) apart.

    A beat begins between two samples: how late the first one comes is read off its phase.
    """
    lines: list[Line] = [
        "beat_over = phi < beat_phase",
        "beat_phase = phi",
        "per_samples = 1.0 / max(beat_samples, 1.0)",
        "late = phi / (per_T * pace)",
        f"beat_length = beat_samples * {dt} + beat_late - late if beat_over else beat_length",
        "beat_late = late if beat_over else beat_late",
        "beat_samples = 1.0 if beat_over else beat_samples + 1.0",
    ]
    for name, feature in fitting(parts).items():
        lines += _lines(name, feature, dt)
    return tuple(lines)


def _lines(name: str, feature: Feature, dt: str) -> list[Line]:
    now, sofar = f"{name}_now", f"{name}_so_far"
    lines: list[Line] = [f"{now} = {feature.of}"]
    match feature.how:
        case "max" | "min":
            finished, next_ = sofar, f"{feature.how}({sofar}, {now})"
        case "mean":
            finished, next_ = f"{sofar} * per_samples", f"{sofar} + {now}"
        case "volume":
            finished, next_ = f"{sofar} * {dt}", f"{sofar} + {now}"
        case "during":
            count = f"{name}_while"
            lines += [f"{name}_weight = {feature.when}", f"{now} = {now} * {name}_weight"]
            finished, next_ = f"{sofar} / max({count}, 1.0)", f"{sofar} + {now}"
        case "held":
            finished, next_ = sofar, now
    lines += [
        f"{name} = {finished} if beat_over else {name}",
        f"{sofar} = {now} if beat_over else {next_}",
    ]
    if feature.how == "during":
        weight, count = f"{name}_weight", f"{name}_while"
        lines.append(f"{count} = {weight} if beat_over else {count} + {weight}")
    return lines

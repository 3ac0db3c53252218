"""What a clinician reads off the circulation: rows of the vocabulary, from the last whole beat."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

import numpy as np
import numpy.typing as npt

from isosoma.physics.network import Graph

__all__ = ["OUTPUTS", "outputs_of"]

Floats = npt.NDArray[np.float64]
Rows = Mapping[str, Floats]


def _row(name: str) -> Callable[[Rows], Floats]:
    return lambda r: r[name]


def _ejected(side: str) -> Callable[[Rows], Floats]:
    return lambda r: r[f"beat_{side}_edv"] - r[f"beat_{side}_esv"]


def _fraction(r: Rows) -> Floats:
    """Return what is ejected of what was there; 0 before the first whole beat, as all others."""
    full = r["beat_lv_edv"]
    return np.divide(_ejected("lv")(r), full, out=np.zeros_like(full), where=full > 0.0)


def _ratio(above: str, below: str) -> Callable[[Rows], Floats]:
    def ratio(r: Rows) -> Floats:
        return np.divide(r[above], r[below], out=np.zeros_like(r[above]), where=r[below] > 0.0)

    return ratio


def _lungs(r: Rows) -> Floats:
    """Return what passes a lung, or the pump's oxygenator, for what the body gets [1]."""
    body = r["beat_systemic"]
    flow = r["beat_lung"] + r["pump_out"]
    return np.divide(flow, body, out=np.zeros_like(body), where=body > 0.0)


def _velocity_time_integral(r: Rows) -> Floats:
    """Return net stroke volume over the area of a round outflow tract [m]."""
    return r["beat_forward"] / (0.25 * np.pi * r["lvot_diameter"] ** 2)


def _rate(r: Rows) -> Floats:
    return 1.0 / np.where(r["beat_length"] > 0.0, r["beat_length"], np.inf)


def _mixed(r: Rows) -> Floats:
    return r["S_pa"]


def _haemoglobin(r: Rows) -> Floats:
    blood = sum((v for n, v in r.items() if n.startswith("V_") and n != "V_ti"), np.zeros(1))
    return r["haemoglobin_mass"] / blood


_ALL: dict[str, tuple[str, Callable[[Rows], Floats]]] = {
    "heart_rate": ("Hz", _rate),
    "systolic_pressure": ("Pa", _row("beat_sbp")),
    "diastolic_pressure": ("Pa", _row("beat_dbp")),
    "mean_arterial_pressure": ("Pa", _row("beat_map")),
    "central_venous_pressure": ("Pa", _row("beat_cvp")),
    "cardiac_output": ("m3/s", _row("beat_systemic")),
    "stroke_volume": ("m3", _row("beat_forward")),
    "oxygen_saturation": ("1", _row("S_sa")),
    "mixed_venous_saturation": ("1", _mixed),
    "haemoglobin": ("kg/m3", _haemoglobin),
    "left_ventricular_end_diastolic_volume": ("m3", _row("beat_lv_edv")),
    "left_ventricular_end_systolic_volume": ("m3", _row("beat_lv_esv")),
    "left_ventricular_ejection_fraction": ("1", _fraction),
    "left_ventricular_systolic_pressure": ("Pa", _row("beat_lv_peak")),
    "left_atrial_pressure": ("Pa", _row("beat_la")),
    "systolic_pulmonary_pressure": ("Pa", _row("beat_pa_max")),
    "diastolic_pulmonary_pressure": ("Pa", _row("beat_pa_min")),
    "mean_pulmonary_pressure": ("Pa", _row("beat_pa")),
    "aortic_valve_mean_gradient": ("Pa", _row("beat_aortic_gradient")),
    "mitral_valve_mean_gradient": ("Pa", _row("beat_mitral_gradient")),
    "aortic_valve_area": ("m2", _row("aortic_area")),
    "mitral_valve_area": ("m2", _row("mitral_area")),
    "lvot_diameter": ("m", _row("lvot_diameter")),
    "lvot_velocity_time_integral": ("m", _velocity_time_integral),
    "mitral_regurgitant_volume": ("m3", _row("beat_mitral_leak")),
    "aortic_regurgitant_volume": ("m3", _row("beat_aortic_leak")),
    "mitral_e_to_a": ("1", _ratio("beat_e_wave", "beat_a_wave")),
    "pulmonary_to_systemic_flow": ("1", _lungs),
    "coronary_flow": ("m3/s", _row("beat_coronary")),
    "contractile_reserve": ("1", _row("heart_strength")),
    "coronary_opening": ("1", _row("coronary_opening")),
}
_RIGHT: dict[str, tuple[str, Callable[[Rows], Floats]]] = {
    "right_ventricular_end_diastolic_volume": ("m3", _row("beat_rv_edv")),
    "right_ventricular_end_systolic_volume": ("m3", _row("beat_rv_esv")),
    "right_ventricular_systolic_pressure": ("Pa", _row("beat_rv_peak")),
}
OUTPUTS: Mapping[str, tuple[str, Callable[[Rows], Floats]]] = MappingProxyType(_ALL | _RIGHT)
"""Output: SI unit, and how it is read off the rows; a right ventricle's are 0 without one."""


def outputs_of(rows: Rows, graph: Graph) -> dict[str, Floats]:
    """Return all outputs, each of shape (members,)."""
    right = any(n.name == "rv" for n in graph.nodes)
    out = {name: read(rows) for name, (_, read) in _ALL.items()}
    none = np.zeros_like(out["heart_rate"])
    return out | {name: read(rows) if right else none for name, (_, read) in _RIGHT.items()}

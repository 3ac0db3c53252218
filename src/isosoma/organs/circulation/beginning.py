"""Where a run begins: blood dealt out to the compartments, tones and filters at rest.

The veins take what is left of the blood volume, so that a run begins with the right amount; a few
tens of seconds bring everything else to its rhythm.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from isosoma.core.model import Bundle
from isosoma.physics.network import Graph

__all__ = ["beginning"]

Floats = npt.NDArray[np.float64]

# Firing and answers at the set point (reference, section 1.6).
_ANSWER, _VAGAL, _DRIVE = 1.1005, 4.767, 4.666


def beginning(graph: Graph, theta: Bundle, units: Mapping[str, str]) -> dict[str, Floats]:
    """Return all rows of the state, each of shape (members,)."""
    t = {k: np.asarray(v, np.float64) for k, v in theta.items()}
    zero = np.zeros_like(t["period"])
    out = {name: zero.copy() for name in units}
    pressure = t["baroreflex_setpoint"]
    blood = t["blood_volume"]
    chambers = {"la": 60 / 3900, "lv": 130 / 3900, "ra": 60 / 3900, "rv": 140 / 3900}
    for name, share in chambers.items():
        out[f"V_{name}"] = blood * share
    out["V_ao"] = 0.93 * pressure * t["aortic_compliance"]
    out["V_sa"] = 0.92 * pressure * t["arterial_compliance"]
    out["V_co"] = t["coronary_unstressed"] + 0.3 * pressure * t["coronary_compliance"]
    out["V_pa"] = 0.16 * pressure * t["pulmonary_arterial_compliance"]
    out["V_pc"] = 0.13 * pressure * t["pulmonary_capillary_compliance"]
    out["V_pv"] = (
        t["pulmonary_venous_unstressed"] + 0.08 * pressure * t["pulmonary_venous_compliance"]
    )
    out["V_ti"] = t["tissue_volume"]
    names = [n.name for n in graph.nodes if n.name not in ("ti", "vu", "vl")]
    rest = blood - sum((out[f"V_{n}"] for n in names), zero)
    out["V_vu"], out["V_vl"] = rest * t["upper_share"], rest * (1.0 - t["upper_share"])
    out = {k: v for k, v in out.items() if k in units}
    for edge in graph.edges:
        if f"zeta_{edge.name}" in out:
            out[f"zeta_{edge.name}"] = zero + 1e-9
    return out | _tones(t, zero) | _oxygen(graph, t, zero)


def _tones(t: Mapping[str, Floats], zero: Floats) -> dict[str, Floats]:
    answers = dict.fromkeys(
        ("tone_heart", "tone_resistance", "tone_veins", "tone_period"), zero + _ANSWER
    )
    firing = {"f_heart": _DRIVE, "f_vessels": _DRIVE, "f_vagal": _VAGAL}
    hertz = {k: zero + v * t["sympathetic_unit"] for k, v in firing.items()}
    return {
        **answers,
        **hertz,
        "tone_vagal": zero + _VAGAL * t["sympathetic_unit"],
        "coronary_tone_left": zero + 1.0,
        "coronary_tone_right": zero + 1.0,
        "heart_strength": zero + 1.0,
        "heart_strength_left": zero + 1.0,
        "heart_strength_right": zero + 1.0,
        "coronary_opening": zero + 1.0,
        "pace": zero + 1.0,
        "scatter": zero + 0.37,
        "drug_resistance": zero + 1.0,
        "drug_heart": zero + 1.0,
        "drug_reflex": zero + 1.0,
        "drug_beta": zero + 1.0,
        "p_carotid": t["baroreflex_setpoint"].copy(),
        "p_cardiopulmonary": t["cardiopulmonary_pressure"].copy(),
        "p_work": 0.4 * t["baroreflex_setpoint"],
        "p_perfusion": 0.8 * t["baroreflex_setpoint"],
    }


def _oxygen(graph: Graph, t: Mapping[str, Floats], zero: Floats) -> dict[str, Floats]:
    veins = {"vu", "vl", "ra", "rv", "pa"}
    out = {
        f"S_{n.name}": zero + (0.75 if n.name in veins else 0.3 if n.name == "co" else 0.97)
        for n in graph.nodes
        if n.name != "ti"
    }
    out["p_alveolar"] = 0.14 * t["air_pressure"]
    out["haemoglobin_mass"] = t["haemoglobin_start"] * t["blood_volume"]
    out["capacity"] = t["oxygen_capacity"] * t["haemoglobin_start"]
    return out

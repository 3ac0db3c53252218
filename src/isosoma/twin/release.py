"""What a fold depends on beside the log: code, tables, settings, seed, under one digest."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.resources import files

import isosoma
from isosoma.core.units import to_si
from isosoma.infer.belief import Settings
from isosoma.infer.bias import Bias
from isosoma.infer.drift import Drift
from isosoma.infer.walk import Walk, tau_of
from isosoma.organs.circulation.model import Circulation

__all__ = ["STEP", "WALK", "Release"]

STEP = 1200.0
"""Interval over which `WALK` counts [s]."""
WALK = {
    "systemic_resistance": 0.08, "arterial_compliance": 0.048, "lv_elastance": 0.06,
    "rv_elastance": 0.04, "lv_stiffness": 0.02, "blood_volume": 0.046, "venous_compliance": 0.02,
    "period": 0.08, "baroreflex_gain": 0.03, "baroreflex_setpoint": 0.04,
    "pulmonary_resistance": 0.04, "lung_shunt": 0.083, "haemoglobin_start": 0.01,
    "aortic_area": 0.001, "mitral_area": 0.001, "lvot_diameter": 0.001,
}  # fmt: skip
"""Wandering of each unknown in `STEP`, in prior standard deviations (chosen here, unverified)."""
_TABLES = (
    ("isosoma.core", "vocabulary.toml"),
    ("isosoma.organs.circulation", "parameters.toml"),
    ("isosoma.organs.circulation", "drugs.toml"),
)
_CUFF = Bias(
    ("systolic_pressure", "diastolic_pressure", "mean_arterial_pressure"), to_si(2.5, "mm[Hg]")
)
_LEVEL_SD, _LEVEL_TAU = to_si(2.0, "mm[Hg]"), 6 * 3600.0
"""Spread of a line's offset, about 2.6 cm of its transducer's height, and time [s] until it is
levelled anew (unverified)."""


@dataclass(frozen=True, slots=True)
class Release:
    """Settings of a fold; two folds of one log by one release give the same bits.

    Attributes
    ----------
    seed : of all random numbers, which are functions of patient, step and member.
    members : ensemble size. relax : share of lost spread given back.
    first : readings of the first so many seconds are calibrated together. passes : of ES-MDA.
    emulate : instants from which on an emulator is trained; below, the physics answers each.
    """

    version: str = isosoma.__version__
    seed: int = 0
    members: int = 128
    relax: float = 0.1
    first: float = 3600.0
    passes: int = 4
    emulate: int = 200

    def settings(
        self, unknowns: Sequence[str], outputs: Sequence[str], model_error: Sequence[float] = (),
        lines: Sequence[str] = (),
    ) -> Settings:  # fmt: skip
        """Return the filter's settings for these unknowns, outputs [SI] and arterial lines."""
        levels = (Bias(_CUFF.variables, _LEVEL_SD, _LEVEL_TAU, device) for device in lines)
        walks = tuple(Walk(tau_of(WALK[n], STEP)) for n in unknowns)
        return Settings(
            tuple(outputs), walks, biases=(_CUFF, *levels), model_error=tuple(model_error),
            members=self.members, relax=self.relax, drift=Drift(limit=4.5),
        )  # fmt: skip

    def key(self, patient: str) -> int:
        """Return the first word of a patient's random numbers."""
        words = hashlib.sha256(f"{self.seed}\0{patient}".encode()).digest()
        return int.from_bytes(words[:8], "big") >> 1

    @property
    def digest(self) -> str:
        """SHA-256 of settings, tables and the model's version, in hexadecimal."""
        found = hashlib.sha256(repr((self, Circulation().version)).encode())
        for package, name in _TABLES:
            found.update(files(package).joinpath(name).read_bytes())
        return found.hexdigest()

"""What the rules may know of the patient: age and circumstances decide what is unusual."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["NO_PULSE_FLAGS", "Context"]

NO_PULSE_FLAGS = frozenset({"bypass", "ecmo", "lvad", "arrest"})
"""Circumstances under which blood may flow without a pulse."""


@dataclass(frozen=True, slots=True)
class Context:
    """Circumstances of one patient; unknown is None, empty or 0, and then rules are lenient.

    Attributes
    ----------
    age_years : [a].
    weight_kg : [kg].
    sex : ``female``, ``male`` or empty.
    flags : circumstances: bypass, ecmo, lvad, iabp, arrest, hypothermia, ventilated, vasopressor,
        dextrocardia, atrial_fibrillation, paced.
    arm_circumference_cm : [cm].
    cuff : ``small_adult``, ``adult``, ``large_adult``, ``thigh`` or empty.
    monk_skin_tone : 1 (lightest) to 10, 0 unknown; a covariate of oximetry bias alone.
    cgm_started : instant at which the glucose sensor was inserted [ns], 0 unknown.
    cgm_high_mg_dl : highest value the sensor reports [mg/dL]: 400 or 500, by device.
    """

    age_years: float | None = None
    weight_kg: float | None = None
    sex: str = ""
    flags: frozenset[str] = frozenset()
    arm_circumference_cm: float | None = None
    cuff: str = ""
    monk_skin_tone: int = 0
    cgm_started: int = 0
    cgm_high_mg_dl: float = 400.0

    @property
    def may_lack_pulse(self) -> bool:
        """Whether flow without a pulse is expected."""
        return not self.flags.isdisjoint(NO_PULSE_FLAGS)

"""A cuff too small reads too high, too large too low."""

from __future__ import annotations

from isosoma.quality.context import Context
from isosoma.quality.finding import Finding
from isosoma.quality.view import MMHG

__all__ = ["BIAS", "RANGES", "cuff_size", "right_cuff"]

# Arm circumference [cm]; Muntner et al. 2019, DOI 10.1161/HYP.0000000000000087.
RANGES = {
    "small_adult": (22.0, 26.5),
    "adult": (26.5, 34.5),
    "large_adult": (34.5, 44.5),
    "thigh": (44.5, 52.5),
}
ORDER = tuple(RANGES)
# Steps between cuff and arm → (SYS, DIA) error [mmHg]; Ishigami et al. 2023,
# DOI 10.1001/jamainternmed.2023.3264, values from memory (unverified).
BIAS = {-1: (-3.6, -1.3), 0: (0.0, 0.0), 1: (4.8, 1.8), 2: (19.5, 7.4), 3: (19.5, 7.4)}


def right_cuff(arm_cm: float) -> str:
    """Return the cuff for an arm [cm]; the nearest where it is outside every range."""
    for name, (_, high) in RANGES.items():
        if arm_cm < high:
            return name
    return "thigh"


def cuff_size(context: Context, device: str = "", since: int = 0) -> Finding | None:
    """Return what the cuff in use does to readings on this arm, None where it fits or is unknown.

    The expected error enters as bias uncertainty; readings are never corrected by it.
    Adults only: below 13 years or 22 cm the table does not hold and nothing is said.
    """
    arm, cuff = context.arm_circumference_cm, context.cuff
    child = context.age_years is not None and context.age_years < 13
    if arm is None or cuff not in RANGES or arm < RANGES["small_adult"][0] or child:
        return None
    low, high = RANGES[cuff]
    if low - 0.5 <= arm <= high + 0.5:
        return None
    steps = ORDER.index(right_cuff(arm)) - ORDER.index(cuff)
    high_by, _ = BIAS[max(-1, min(3, steps))]
    side = "too small" if steps > 0 else "too large"
    reason = (
        f"an arm of {arm:.0f} cm needs the {right_cuff(arm).replace('_', ' ')} cuff; the "
        f"{cuff.replace('_', ' ')} cuff is {side} and systolic pressure reads about "
        f"{abs(high_by):.0f} mmHg too {'high' if steps > 0 else 'low'}: change the cuff"
    )
    return Finding(
        "cuff_size",
        reason,
        3.0,
        1.0,
        abs(high_by) * MMHG,
        ("systolic_pressure", "diastolic_pressure", "mean_arterial_pressure"),
        device,
        "",
        since,
        high_by,
        0.5 * high_by,
        1.5 * high_by,
        "mm[Hg]",
    )

"""Limb leads that sit on the wrong limb, and leads connected the wrong way round.

Einthoven: I = LA - RA, II = LL - RA, III = LL - LA, so I + III = II whatever the exchange.
Six arrangements of three electrodes; the one that best explains the patient's own template wins.
"""

from __future__ import annotations

import math
from itertools import permutations

import numpy as np
import numpy.typing as npt

from isosoma.quality.finding import Finding

__all__ = ["arrangement", "einthoven", "inverted_lead_one", "reversed_lead", "swapped"]

Array = npt.NDArray[np.float64]
LIMBS = ("RA", "LA", "LL")


def einthoven(one: Array, two: Array, three: Array) -> float:
    """Return rms(I + III - II) over rms of all three [1]; over 0.2 they are not one triangle."""
    rest = float(np.sqrt(np.mean((one + three - two) ** 2)))
    scale = float(np.sqrt(np.mean(one**2 + two**2 + three**2) / 3))
    return rest / scale if scale > 0 else 0.0


def _potentials(leads: Array) -> Array:
    """Electrode potentials RA, LA, LL about their mean, shape (3, n), from leads I, II, III."""
    one, two, _ = leads
    return np.stack((-(one + two), 2 * one - two, 2 * two - one)) / 3


def _leads(v: Array) -> Array:
    """Leads I, II, III from electrode potentials RA, LA, LL."""
    return np.stack((v[1] - v[0], v[2] - v[0], v[2] - v[1]))


def _likeness(a: Array, b: Array) -> float:
    """Correlation of two arrays taken as one vector, means of rows removed [1]."""
    a = a - a.mean(axis=-1, keepdims=True)
    b = b - b.mean(axis=-1, keepdims=True)
    norm = math.sqrt(float((a * a).sum() * (b * b).sum()))
    return float((a * b).sum()) / norm if norm > 0 else 0.0


def arrangement(before: Array, now: Array) -> tuple[tuple[str, str, str], float, float]:
    """Return where the RA, LA, LL cables now sit, how well that explains `now`, and as labelled.

    Parameters
    ----------
    before, now : median beats of leads I, II, III, shape (3, n) each [V], same alignment.
    """
    v = _potentials(before)
    scores = {p: _likeness(_leads(v[list(p)]), now) for p in permutations(range(3))}
    best = max(scores, key=lambda p: scores[p])
    sits = (LIMBS[best[0]], LIMBS[best[1]], LIMBS[best[2]])
    return sits, scores[best], scores[0, 1, 2]


def swapped(before: Array, now: Array, device: str = "", since: int = 0) -> Finding | None:
    """Return exchanged limb electrodes against the patient's own median beats, or None.

    Told where another arrangement explains over 0.9 of the beat and 0.15 more than the labels.
    A new bundle branch block or infarction changes shape and explains no arrangement.
    """
    sits, best, labelled = arrangement(before, now)
    if sits == LIMBS or best < 0.9 or best - labelled < 0.15:
        return None
    moved = [f"{a} on {b}" for a, b in zip(LIMBS, sits, strict=True) if a != b]
    n = before.shape[1] / 10  # about ten independent samples in a beat of this band
    evidence = n * math.log10((1 - min(labelled, 0.999) ** 2) / (1 - min(best, 0.999) ** 2)) / 2
    reason = f"the ECG electrodes look exchanged ({', '.join(moved)}): check the cables"
    return Finding(
        "leads_swapped",
        reason,
        evidence,
        1.0,
        0.0,
        ("ecg",),
        device,
        "",
        since,
        best,
        labelled,
        1.0,
        "1",
    )


def reversed_lead(
    before: Array, now: Array, device: str = "", channel: str = "", since: int = 0
) -> Finding | None:
    """Return one lead connected the wrong way, by its own median beat, shape (n,) [V], or None."""
    like = _likeness(before, now)
    if like > -0.85:
        return None
    evidence = before.size / 10 * math.log10(1 / max(1 - like**2, 1e-3)) / 2
    reason = (
        f"the beat of this lead is upside down against its own past ({like:.2f}): "
        "the electrodes are exchanged"
    )
    return Finding(
        "lead_reversed",
        reason,
        evidence,
        1.0,
        0.0,
        ("ecg",),
        device,
        channel,
        since,
        like,
        -1.0,
        -0.85,
        "1",
    )


def inverted_lead_one(
    p_area: float, qrs_area: float, t_area: float, dextrocardia: bool = False
) -> Finding | None:
    """Return the suspicion of exchanged arms where P, QRS and T of lead I all point down.

    Signed areas [V s] of the median beat. Dextrocardia does the same, and is a patient.
    """
    if dextrocardia or max(p_area, qrs_area, t_area) >= 0:
        return None
    reason = (
        "P, QRS and T of lead I all point down: left and right arm may be exchanged, "
        "or the heart lies on the right; check the cables"
    )
    return Finding("leads_swapped", reason, 1.0, 1.0, 0.0, ("ecg",))

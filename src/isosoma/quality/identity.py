"""Sensors on the wrong patient: two hearts do not vary together.

The pulse at a finger follows each R wave, so pulse intervals repeat RR intervals beat by beat.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from isosoma.quality.finding import Finding

__all__ = ["agreement", "exchanged", "fingerprint", "mismatched"]

Array = npt.NDArray[np.float64]
LATEST = 0.6  # [s] a pulse reaches the finger after its R wave
FEWEST = 20


def agreement(beats: Array, pulses: Array) -> tuple[float, int]:
    """Return correlation of RR with pulse intervals and their number n.

    Parameters
    ----------
    beats, pulses : times [s], rising. Each pulse takes the last beat 0.05 to 0.6 s before it; an
        interval counts where both its ends are paired with neighbouring beats.
    """
    j = np.searchsorted(beats, pulses - 0.05, side="right") - 1
    ok = (j >= 0) & (pulses - beats[np.maximum(j, 0)] <= LATEST)
    good = ok[1:] & ok[:-1] & (np.diff(j) == 1)
    n = int(good.sum())
    if n < FEWEST:
        return 0.0, n
    pp, rr = np.diff(pulses)[good], np.diff(beats)[np.minimum(j[:-1], beats.size - 2)][good]
    pp, rr = pp - pp.mean(), rr - rr.mean()
    norm = math.sqrt(float((pp @ pp) * (rr @ rr)))
    return (float(pp @ rr) / norm if norm > 0 else 0.0), n


def _z(r: float, n: int) -> float:
    """Fisher's z over its standard error."""
    return math.atanh(min(max(r, -0.999), 0.999)) * math.sqrt(max(n - 3, 0))


def mismatched(
    beats: Array, pulses: Array, regular: bool = False, since: int = 0
) -> Finding | None:
    """Return the suspicion that ECG and pulse stem from two people, or None.

    Needs 60 beats and a rhythm that varies: with a pacemaker (`regular`) nothing can be told by
    variation. Told where rates differ by over 5 % or beats pair but do not vary together.
    """
    if min(beats.size, pulses.size) < 60:
        return None
    a, b = float(np.median(np.diff(beats))), float(np.median(np.diff(pulses)))
    r, n = agreement(beats, pulses)
    apart = abs(a - b) > 0.05 * a
    varied = float(np.std(np.diff(beats))) > 0.015
    if r > 0.4 or (not apart and (regular or not varied or n < FEWEST)):
        return None
    # Pulse deficit (ectopy, fibrillation) makes pulses rarer: that alone is no exchange.
    if apart and b > a:
        return None
    reason = (
        f"the pulse does not follow the ECG beat by beat (r = {r:.2f} over {n} beats, "
        f"{60 / a:.0f} and {60 / b:.0f} /min): check that both sensors sit on this patient"
    )
    evidence = max(1.0, (_z(0.8, max(n, 4)) - max(_z(r, n), 0.0)) ** 2 / 20)
    return Finding(
        "exchanged_patients",
        reason,
        min(evidence, 6.0),
        2.0,
        0.0,
        ("pulse_rate", "oxygen_saturation", "plethysmogram"),
        since=since,
        estimate=r,
        unit="1",
    )


def exchanged(
    beats_a: Array, pulses_a: Array, beats_b: Array, pulses_b: Array, since: int = 0
) -> Finding | None:
    """Return the finding that the pulse sensors of patients A and B are exchanged, or None.

    Told where each pulse follows the other's ECG: both cross correlations exceed both own ones by
    three standard errors of Fisher's z and 0.5.
    """
    own = [agreement(beats_a, pulses_a), agreement(beats_b, pulses_b)]
    cross = [agreement(beats_a, pulses_b), agreement(beats_b, pulses_a)]
    if min(n for _, n in cross) < FEWEST:
        return None
    gap = min(_z(*c) for c in cross) - max(max(_z(*o), 0.0) for o in own)
    if gap < 3 * math.sqrt(2) or min(c for c, _ in cross) < 0.5:
        return None
    reason = (
        "each patient's pulse follows the other's ECG: the pulse sensors are exchanged; "
        "put them on the right patients and mark the readings since"
    )
    return Finding(
        "exchanged_patients",
        reason,
        min(gap * gap / 4.6, 12.0),
        4.0,
        0.0,
        ("pulse_rate", "oxygen_saturation", "plethysmogram", "perfusion_index"),
        since=since,
        estimate=min(c for c, _ in cross),
        low=-1.0,
        high=1.0,
        unit="1",
    )


def fingerprint(
    before: Array, now: Array, device: str = "", channel: str = "", since: int = 0
) -> Finding | None:
    """Return an abrupt change of the patient's own median beat, shape (n,) [V], or None.

    Likeness under 0.5 in size: another heart, other electrodes, or a new conduction block.
    """
    a, b = before - before.mean(), now - now.mean()
    norm = math.sqrt(float((a @ a) * (b @ b)))
    like = float(a @ b) / norm if norm > 0 else 0.0
    if abs(like) >= 0.5:
        return None
    reason = (
        f"the heart beat has another shape than before (likeness {like:.2f}): check whose "
        "electrodes these are; if they are right, a 12-lead ECG is due"
    )
    return Finding(
        "fingerprint",
        reason,
        1.0,
        1.5,
        0.0,
        ("ecg", "heart_rate"),
        device,
        channel,
        since,
        like,
        -0.5,
        0.5,
        "1",
    )

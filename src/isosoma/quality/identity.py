"""Sensors on the wrong patient: two hearts do not vary together.

The pulse at a finger follows each R wave, so pulse intervals repeat RR intervals beat by beat.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from isosoma.quality.finding import Finding

__all__ = ["agreement", "exchanged", "fingerprint", "locking", "mismatched"]

Array = npt.NDArray[np.float64]
LATEST = 0.6  # [s] a pulse reaches the finger after its R wave
FEWEST = 20
FREE = 0.25  # locking of strangers: at most 0.22 in recorded pairs, own at least 0.32
Pairs = tuple[tuple[Array, Array], tuple[Array, Array]]


def agreement(beats: Array, pulses: Array) -> tuple[float, int]:
    """Return correlation of RR with pulse intervals and their number n.

    Parameters
    ----------
    beats, pulses : times [s], rising. Each pulse takes the last beat 0.05 to 0.6 s before it; an
        interval counts where both its ends are paired with neighbouring beats, and both intervals
        lie within 0.6 to 1.6 of their medians: a missed or doubled detection is no rhythm. Give
        stretches of good quality alone.
    """
    if min(beats.size, pulses.size) < FEWEST:
        return 0.0, 0
    j = np.searchsorted(beats, pulses - 0.05, side="right") - 1
    ok = (j >= 0) & (pulses - beats[np.maximum(j, 0)] <= LATEST)
    good = ok[1:] & ok[:-1] & (np.diff(j) == 1)
    pp, rr = np.diff(pulses), np.diff(beats)[np.minimum(j[:-1], beats.size - 2)]
    for x in (pp, rr):
        part = x / float(np.median(x))
        good &= (part > 0.6) & (part < 1.6)
    n = int(good.sum())
    if n < FEWEST:
        return 0.0, n
    pp, rr = pp[good], rr[good]
    pp, rr = pp - pp.mean(), rr - rr.mean()
    norm = math.sqrt(float((pp @ pp) * (rr @ rr)))
    return (float(pp @ rr) / norm if norm > 0 else 0.0), n


def locking(beats: Array, pulses: Array) -> tuple[float, int]:
    """Return how firmly pulses follow beats, 0 (any delay) to 1 (one delay), and their number n.

    Resultant length of the delay since the last beat on a circle of one median RR (Mardia & Jupp,
    Directional Statistics, 2000). Two hearts 2 % apart in rate slip a whole cycle in 50 beats;
    one patient's delay varies by some 20 ms, in fibrillation by some 60 ms.
    """
    if min(beats.size, pulses.size) < FEWEST:
        return 0.0, 0
    j = np.searchsorted(beats, pulses, side="right") - 1
    delay = (pulses - beats[np.maximum(j, 0)])[j >= 0]
    angle = 2 * np.pi * delay / float(np.median(np.diff(beats)))
    return float(np.hypot(np.cos(angle).mean(), np.sin(angle).mean())), delay.size


def _z(r: float, n: int) -> float:
    """Fisher's z over its standard error."""
    return math.atanh(min(max(r, -0.999), 0.999)) * math.sqrt(max(n - 3, 0))


def mismatched(beats: Array, pulses: Array, since: int = 0) -> Finding | None:
    """Return the suspicion that ECG and pulse stem from two people, or None.

    Times [s] of 60 beats or more. Told where the pulse keeps no delay to the beat: locking under
    0.25. Two people at exactly one rate, two pacemakers say, cannot be told apart so.
    """
    if min(beats.size, pulses.size) < 60:
        return None
    held, n = locking(beats, pulses)
    if held >= FREE:
        return None
    rates = [60 / float(np.median(np.diff(x))) for x in (beats, pulses)]
    reason = (
        f"the pulse keeps no delay to the ECG (locking {held:.2f} over {n} pulses, {rates[0]:.0f} "
        f"and {rates[1]:.0f} /min): check that both sensors sit on this patient"
    )
    return Finding(
        "exchanged_patients",
        reason,
        min(n * (0.6 - held) ** 2 / math.log(10), 6.0),
        2.0,
        0.0,
        ("pulse_rate", "oxygen_saturation", "plethysmogram"),
        since=since,
        estimate=held,
        low=0.0,
        high=FREE,
        unit="1",
    )


def exchanged(
    beats_a: Array, pulses_a: Array, beats_b: Array, pulses_b: Array, since: int = 0
) -> Finding | None:
    """Return the finding that the pulse sensors of patients A and B are exchanged, or None.

    Told where each pulse follows the other's ECG and not its own: by delay (locking over 0.6
    across, under 0.3 own), or, at equal rates, by interval (both cross correlations over 0.5 and
    three standard errors of Fisher's z above both own ones).
    """
    own = ((beats_a, pulses_a), (beats_b, pulses_b))
    cross = ((beats_a, pulses_b), (beats_b, pulses_a))
    evidence = max(_by_delay(own, cross), _by_interval(own, cross))
    if evidence < 1:
        return None
    reason = (
        "each patient's pulse follows the other's ECG: the pulse sensors are exchanged; "
        "put them on the right patients and mark the readings since"
    )
    return Finding(
        "exchanged_patients",
        reason,
        min(evidence, 12.0),
        4.0,
        0.0,
        ("pulse_rate", "oxygen_saturation", "plethysmogram", "perfusion_index"),
        since=since,
    )


def _by_delay(own: Pairs, cross: Pairs) -> float:
    """log10 evidence of exchange by locking, 0 where it does not tell."""
    held = [locking(*p) for p in cross]
    free = max(locking(*p)[0] for p in own)
    least, n = min(held)
    if n < FEWEST or least < 0.6 or free > 0.3:
        return 0.0
    return n * (least**2 - free**2) / math.log(10)


def _by_interval(own: Pairs, cross: Pairs) -> float:
    """log10 evidence of exchange by interval correlation, 0 where it does not tell."""
    across = [agreement(*p) for p in cross]
    if min(n for _, n in across) < FEWEST or min(r for r, _ in across) < 0.5:
        return 0.0
    gap = min(_z(*c) for c in across) - max(max(_z(*agreement(*p)), 0.0) for p in own)
    return gap * gap / 4.6 if gap >= 3 * math.sqrt(2) else 0.0


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

"""Device clocks that drift, jump, or sample at another rate than they say.

Delays only ever add, so the true offset is the lower envelope of receive minus device time.
Skew: the edge of its lower convex hull under the mean time, the least-sum line below all points;
Moon, Skelly & Towsley 1999, DOI 10.1109/INFCOM.1999.749287.
"""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from isosoma.quality.finding import Finding
from isosoma.quality.view import SECOND

__all__ = ["Clock", "clock", "clock_finding", "epochs", "sample_clock", "sample_clock_finding"]

Array = npt.NDArray[np.float64]
Times = npt.NDArray[np.int64]
JUMP = 2.0  # [s] a larger step is a clock that was set (section 4)
WINDOW = 16  # messages behind each envelope value


@dataclass(frozen=True, slots=True)
class Clock:
    """Affine relation of one epoch: receive = device + offset + skew (device - origin).

    Attributes
    ----------
    origin : device time [ns] of the epoch's first message.
    offset : lower envelope there [s], the least delay included.
    skew : [1]; 1e-6 is 1 ppm, positive where the device's clock runs slow.
    error : standard uncertainty of skew [1], from envelope halves.
    """

    origin: int
    offset: float
    skew: float
    error: float


def _hull(x: Array, y: Array) -> list[int]:
    """Indices of the lower convex hull, x rising (Andrew 1979)."""
    out: list[int] = []
    for i in range(x.size):
        while len(out) > 1:
            a, b = out[-2], out[-1]
            if (x[b] - x[a]) * (y[i] - y[a]) > (y[b] - y[a]) * (x[i] - x[a]):
                break
            out.pop()
        if out and x[i] == x[out[-1]]:
            if y[i] >= y[out[-1]]:
                continue
            out.pop()
        out.append(i)
    return out


def _line(x: Array, y: Array) -> tuple[float, float]:
    """Slope and intercept of the hull edge under mean(x)."""
    hull, middle = _hull(x, y), float(x.mean())
    for a, b in itertools.pairwise(hull):
        if x[b] >= middle:
            slope = float((y[b] - y[a]) / (x[b] - x[a]))
            return slope, float(y[a] - slope * x[a])
    return 0.0, float(y.min())


def epochs(device: Times, received: Times) -> list[tuple[int, int]]:
    """Split messages, in order of arrival, where the envelope steps by over 2 s.

    Returns half-open index ranges; a longer delay alone never starts an epoch, because the
    envelope of the next `WINDOW` messages is compared.
    """
    offset = (received - device) / SECOND
    n, cuts = offset.size, [0]
    for i in range(WINDOW // 2, n - WINDOW // 2):
        before, after = offset[max(cuts[-1], i - WINDOW) : i], offset[i : i + WINDOW]
        if before.size < WINDOW // 2:
            continue
        floor = float(before.min())
        # No delay is negative: below the envelope the clock was set at once.
        ahead = float(offset[i]) < floor - JUMP
        # Above it, it may be a late block: only a whole window above is a clock that was set.
        behind = float(after.min()) > floor + JUMP
        if ahead or behind:
            cuts.append(i)
    return list(zip(cuts, [*cuts[1:], n], strict=True))


def clock(device: Times, received: Times) -> Clock:
    """Fit one epoch of n ≥ 2 messages, times [ns]."""
    order = np.argsort(device, kind="stable")
    x = (device[order] - device[order[0]]) / SECOND
    y = (received[order] - device[order]) / SECOND
    slope, base = _line(x, y)
    if x.size < 16 or x[-1] <= 0:
        return Clock(int(device[order[0]]), base, slope, math.inf)
    half = x.size // 2
    parts = [_line(x[:half] - x[0], y[:half])[0], _line(x[half:] - x[half], y[half:])[0]]
    # each half has a quarter of the whole's lever: its spread overstates by about 2.8
    error = abs(parts[0] - parts[1]) / 2.8 + 0.001 / float(x[-1])
    return Clock(int(device[order[0]]), base, slope, error)


def clock_finding(
    device: Times, received: Times, name: str = "", limit: float = 50e-6
) -> tuple[Finding, ...]:
    """Return jumps over 2 s and a skew beyond `limit` [1] that is three times its uncertainty."""
    found: list[Finding] = []
    parts = epochs(device, received)
    for _, i in parts[:-1]:
        step = float((received[i] - device[i] - received[i - 1] + device[i - 1]) / SECOND)
        reason = (
            f"the clock of {name or 'the device'} was set by {-step:+.1f} s: readings before and "
            "after belong to two epochs; set device clocks from one time server"
        )
        found.append(
            Finding(
                "clock_jump",
                reason,
                3.0,
                device=name,
                since=int(device[i]),
                estimate=-step,
                low=-step - 2,
                high=-step + 2,
                unit="s",
            )
        )
    a, b = parts[-1]
    fit = clock(device[a:b], received[a:b])
    if abs(fit.skew) > limit and abs(fit.skew) > 3 * fit.error:
        ppm, width = fit.skew * 1e6, 1.96e6 * fit.error
        reason = (
            f"the clock of {name or 'the device'} runs {'slow' if ppm > 0 else 'fast'} by "
            f"{abs(ppm):.0f} ± {width:.0f} ppm ({abs(ppm) * 0.0864:.1f} s a day): set it from a "
            "time server"
        )
        evidence = min(0.5 * (fit.skew / fit.error) ** 2 / math.log(10), 12.0)
        found.append(
            Finding(
                "clock_skew",
                reason,
                evidence,
                device=name,
                since=fit.origin,
                estimate=ppm,
                low=ppm - width,
                high=ppm + width,
                unit="[ppm]",
            )
        )
    return tuple(found)


def sample_clock(seq: Times, at: Times) -> tuple[float, int, float]:
    """Fit device time = t0 + seq / hz by least squares over n ≥ 3 frames.

    Returns
    -------
    hz [1/s], t0 [ns], and the relative standard uncertainty of hz. `seq` counts samples and `at`
    is the device's own time stamp [ns]; arrival times would bring the network in.
    """
    x = (seq - seq[0]).astype(np.float64)
    y = (at - at[0]) / SECOND
    dx, dy = x - x.mean(), y - y.mean()
    power = float(dx @ dx)
    slope = float(dx @ dy) / power
    rest = dy - slope * dx
    error = math.sqrt(float(rest @ rest) / max(x.size - 2, 1) / power)
    t0 = at[0] + round((float(y.mean()) - slope * float(x.mean())) * SECOND)
    return 1 / slope, int(t0), error / slope


def sample_clock_finding(
    seq: Times, at: Times, nominal_hz: float, device: str = "", channel: str = ""
) -> Finding | None:
    """Return a sampling rate off its nominal value by over 100 ppm and three uncertainties."""
    if seq.size < 16:
        return None
    hz, t0, error = sample_clock(seq, at)
    off = hz / nominal_hz - 1
    if abs(off) < 100e-6 or abs(off) < 3 * error:
        return None
    reason = (
        f"the signal is sampled at {hz:.3f} Hz, not {nominal_hz:g} Hz ({off * 1e6:+.0f} ppm): "
        "place samples by the fitted rate"
    )
    evidence = min(0.5 * (off / max(error, 1e-9)) ** 2 / math.log(10), 12.0)
    width = 1.96 * error * hz
    return Finding(
        "sample_clock",
        reason,
        evidence,
        device=device,
        channel=channel,
        since=t0,
        estimate=hz,
        low=hz - width,
        high=hz + width,
        unit="Hz",
    )

"""SampledData: evenly spaced samples in a text, ``value = origin + factor * sample``.

Signals become waveforms with the sender's own counts wherever 16 bits hold them exactly; a series
of numbers (a heart rate every minute) becomes one observation a sample. `E` marks a sample in
error, `L` and `U` one beyond the device's limits: none of them is a number, all are missing, and
the limits are told. Reference: HL7 International, FHIR 4.0.1 and 5.0.0, datatypes, SampledData.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
import numpy.typing as npt
from msgspec import UNSET
from numba import njit

from isosoma.core.errors import FormatError, InputError, LimitError, RangeError, TimeError
from isosoma.core.observation import Observation, Waveform
from isosoma.core.units import convert, ucum
from isosoma.core.vocabulary import Variable, check_possible, si
from isosoma.exchange.fhir_schema import SampledData
from isosoma.exchange.fhir_values import LAST, Source, number, unit_of
from isosoma.exchange.tables import WAVEFORMS

__all__ = ["MOST_NUMBERS", "sampled"]

Ints = npt.NDArray[np.int64]
Marks = npt.NDArray[np.uint8]

MOST_NUMBERS = 100_000
"""Most samples of one series that become observations."""

_MOST_DIGITS = 15
_MINUS, _POINT, _SPACE, _ZERO = 45, 46, 32, 48
_E, _L, _U = 69, 76, 85
_LARGEST = 32767
_FASTEST, _SLOWEST = 1e6, 1e-6  # [1/s]
_CLOSE = Fraction(1, 10**9)  # of a count: what a printed origin may lose


@dataclass(frozen=True, slots=True, eq=False)
class _Series:
    """One dimension of the samples: physical value = (origin + factor * count) [code].

    Attributes
    ----------
    counts : shape (n,), int64; 0 where missing.
    missing : shape (n,), bool.
    factor, origin : exact [code].
    """

    counts: Ints
    missing: npt.NDArray[np.bool_]
    factor: Fraction
    origin: Fraction
    code: str
    hz: float


@njit(cache=True, nogil=True)
def _number(text: npt.NDArray[np.uint8], start: int) -> tuple[int, int, int, int]:
    """Return mantissa, decimals, digits and end of a number without exponent."""
    i, sign, mantissa, decimals, digits = start, 1, 0, 0, 0
    point = False
    if i < len(text) and text[i] == _MINUS:
        sign, i = -1, i + 1
    while i < len(text) and digits <= _MOST_DIGITS:
        c = text[i]
        if c == _POINT and not point:
            point = True
        elif _ZERO <= c <= _ZERO + 9:
            mantissa, digits = mantissa * 10 + (c - _ZERO), digits + 1
            decimals += point
        else:
            break
        i += 1
    return sign * mantissa, decimals, digits, i


@njit(cache=True, nogil=True)
def _split(text: npt.NDArray[np.uint8], counts: Ints, decimals: Marks, marks: Marks) -> int:
    """Fill the arrays from samples parted by single spaces; return the first bad byte, or -1."""
    i = 0
    for k in range(len(counts)):
        start = i
        if i < len(text) and (text[i] == _E or text[i] == _L or text[i] == _U):
            marks[k] = text[i]
            i += 1
        else:
            counts[k], decimals[k], digits, i = _number(text, start)
            if digits == 0 or digits > _MOST_DIGITS:
                return start
        if i < len(text) and text[i] != _SPACE:
            return i
        i += 1
    return -1


def _tokens(data: str) -> tuple[Ints, Marks, int]:
    """Return counts, marks (0 for a number) and the decimals that the counts are shifted by."""
    text = np.frombuffer(data.encode(), np.uint8)
    n = data.count(" ") + 1
    counts, decimals, marks = np.zeros(n, np.int64), np.zeros(n, np.uint8), np.zeros(n, np.uint8)
    bad = _split(text, counts, decimals, marks) if data else 0
    if bad >= 0:
        raise FormatError(
            f"{data[bad : bad + 20]!r} at character {bad} is no sample",
            "data",
            "Send numbers, E, L or U, each parted by one space",
        )
    most = int(decimals.max())
    if most and int(np.abs(counts).max()) > 10 ** (18 - most):
        raise FormatError("samples of too many digits", "data", "Send whole counts and a factor")
    return counts * 10 ** (most - decimals.astype(np.int64)), marks, most


def _rate(data: SampledData) -> float:
    """Return samples per second, from a period [ms] (R4) or an interval with its unit (R5)."""
    if (data.period is UNSET) == (data.interval is UNSET):
        raise FormatError("needs a period or an interval", todo="Send the period in ms")
    raw = data.period if data.period is not UNSET else data.interval
    value, text = number(raw, "period")
    second = Fraction(1, 1000)
    if data.period is UNSET:
        convert(1.0, data.interval_unit, "s")
        second = Fraction(repr(ucum(data.interval_unit).factor))
    hz = float(1 / (Fraction(text) * second)) if value > 0.0 else math.nan
    if not _SLOWEST <= hz <= _FASTEST:
        raise RangeError(f"a period of {text}", "period", "Send the time between samples")
    return hz


def _series(data: SampledData) -> list[_Series]:
    """Return the dimensions, which stand interleaved in the text."""
    if data.offsets is not UNSET or data.code_map is not UNSET:
        raise FormatError("uneven or coded samples are not read", todo="Send even numbers")
    hz = _rate(data)
    counts, marks, decimals = _tokens(data.data)
    if len(counts) % data.dimensions:
        raise FormatError(
            f"{len(counts)} samples in {data.dimensions} dimensions", "data", "Send all of them"
        )
    code = unit_of(data.origin, "origin")
    origin = Fraction(number(data.origin.value, "origin.value")[1])
    text = "1" if data.factor is UNSET else number(data.factor, "factor")[1]
    factor = Fraction(text) / 10**decimals
    if not float(factor):
        raise FormatError("a factor of zero", "factor", "Send the size of a count")
    step = data.dimensions
    return [
        _Series(counts[d::step], marks[d::step] != 0, factor, origin, code, hz) for d in range(step)
    ]


def _ranges(missing: npt.NDArray[np.bool_]) -> tuple[tuple[int, int], ...]:
    edges = np.flatnonzero(np.diff(np.r_[False, missing, False])).reshape(-1, 2)
    return tuple((int(a), int(b)) for a, b in edges)


def _exact(series: _Series) -> tuple[Ints, int] | None:
    """Return counts and baseline where int16 holds them as they are, shifted as a whole if need be.

    None where the origin is no whole number of counts, or the counts span over 16 bits.
    """
    zero = -series.origin / series.factor
    baseline = round(zero)
    known = series.counts[~series.missing]
    low, high = int(known.min()), int(known.max())
    shift = 0 if low >= -_LARGEST - 1 and high <= _LARGEST else (low + high) // 2
    fits = high - shift <= _LARGEST and low - shift >= -_LARGEST
    if not (fits or not shift) or abs(zero - baseline) > _CLOSE * max(1, abs(baseline)):
        return None
    return series.counts - shift, baseline - shift


def _quantised(series: _Series, factor: float) -> tuple[Ints, int, float]:
    """Return counts, baseline and scale that lose at most one part in 131,000 of the span,
    or a part in 1e12 of the largest value, where that is more.

    Parameters
    ----------
    factor : SI units per [code].
    """
    values = (float(series.origin) + float(series.factor) * series.counts) * factor
    known = values[~series.missing]
    low, high = float(known.min()), float(known.max())
    largest = max(abs(high), abs(low))
    scale = max((high - low) / 65500.0, largest * 1e-12) if high > low else largest or 1.0
    baseline = -round((high + low) / 2.0 / scale) if high > low else 0
    return np.round(values / scale).astype(np.int64) + baseline, baseline, scale


def _waveform(
    series: _Series, row: Variable, source: Source, channel: str, origin: tuple[str, str]
) -> Waveform:
    """Make one block; `origin` is the part's name and its flag."""
    known = series.counts[~series.missing]
    for edge in (int(known.min()), int(known.max())):
        check_possible(row, si(row, float(series.origin + series.factor * edge), series.code))
    factor = ucum(series.code).factor / ucum(row.unit).factor
    sigma = float(source.own.get("sigma", row.sigma))
    exact, flag = _exact(series), origin[1]
    if exact is not None:
        (counts, baseline), scale = exact, float(series.factor) * factor
    else:
        counts, baseline, scale = _quantised(series, factor)
        flag = ",".join(f for f in (flag, "requantised") if f)
        sigma = math.hypot(sigma, scale / math.sqrt(12.0))
    samples = counts.astype(np.int16)
    samples[series.missing] = int(source.own.get("fill", "0"))
    return Waveform(
        source.subject, row.name, source.at, source.received, series.hz, samples, scale, baseline,
        sigma, source.device, channel, int(source.own.get("seq", "-1")),
        source.origin_of(origin[0], flag), source.zone, _ranges(series.missing),
    )  # fmt: skip


def _numbers(series: _Series, row: Variable, source: Source, part: str) -> list[Observation]:
    """Return one observation for each sample that is a number."""
    if len(series.counts) > MOST_NUMBERS:
        raise LimitError(f"a series of over {MOST_NUMBERS} numbers", todo="Send it in parts")
    origin, factor = float(series.origin), float(series.factor)
    out: list[Observation] = []
    for i, count in enumerate(series.counts.tolist()):
        if not series.missing[i]:
            given = origin + factor * count
            value = check_possible(row, si(row, given, series.code))
            out.append(
                Observation(
                    source.subject, row.name, source.at + round(i * 1e9 / series.hz),
                    source.received, value, row.sigma, row.bias, device=source.device,
                    channel=source.channel, origin=source.origin_of(part, ""), zone=source.zone,
                    given=f"{given!r} {series.code}",
                )
            )  # fmt: skip
    return out


def sampled(
    data: SampledData, row: Variable, source: Source, part: str, where: str
) -> tuple[list[Observation | Waveform], str]:
    """Return the readings of sampled data, and what could not be read of it.

    Parameters
    ----------
    source : instant of the first sample, device and channel.
    part : of the observation, for `origin`: ``/component[1]`` or empty.
    where : of the data in the document.

    Returns
    -------
    A waveform a dimension, of the sender's own counts; where int16 cannot hold these or the origin
    is no whole number of counts, of our own, flagged ``requantised``, with the rounding in `sigma`.
    Several dimensions are told apart by a number behind the channel.

    Raises
    ------
    FormatError, UnitError, RangeError, TimeError, LimitError
        Not such data, or values that no body can have.
    """
    try:
        return _sampled(data, row, source, part)
    except OverflowError:
        raise RangeError("numbers beyond any quantity", where, "Check the factor") from None
    except InputError as error:
        place = f"{where}.{error.where}" if error.where else where
        raise type(error)(error.what, place, error.todo) from None


def _sampled(
    data: SampledData, row: Variable, source: Source, part: str
) -> tuple[list[Observation | Waveform], str]:
    every = _series(data)
    length = len(every[0].counts)
    if source.at + length * 1e9 / every[0].hz >= LAST:
        raise TimeError("the samples go on beyond 2262", "period", "Check the period")
    beyond = data.data.count("L") + data.data.count("U")
    out: list[Observation | Waveform] = []
    for d, series in enumerate(every):
        if bool(series.missing.all()):
            continue
        if row.name in WAVEFORMS:
            channel = source.channel if len(every) == 1 else f"{source.channel}/{d + 1}"
            flag = "beyond_limits" if beyond else ""
            out.append(_waveform(series, row, source, channel, (part, flag)))
        else:
            out += _numbers(series, row, source, part)
    if not out:
        return out, "has not one sample that is a number"
    if beyond:
        return out, f"{beyond} samples beyond the device's limits (L, U) are taken as missing"
    return out, ""

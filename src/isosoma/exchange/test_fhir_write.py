"""Readings written as FHIR and read again are the same readings, bit by bit."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from isosoma.core.errors import FormatError, IdentityError, RangeError, TimeError, VocabularyError
from isosoma.core.observation import Observation, Waveform
from isosoma.core.vocabulary import VOCABULARY
from isosoma.exchange.fhir import read_fhir
from isosoma.exchange.fhir_write import write_fhir
from isosoma.exchange.tables import WAVEFORMS

NOW = 1_771_830_000_000_000_000
_NAME = st.text(st.characters(codec="utf-8", categories=["L", "N", "P"]), max_size=12)
_AT = st.integers(0, 2**62)
_ZONE = st.integers(-14 * 60, 14 * 60)
_SEQ = st.integers(-1, 2**62)
_ORIGINS = ["", "gatt:2A35?movement,position", "hl7:7/OBX-1?preliminary", "x?corrected,y"]
_SPREAD = st.floats(0.0, 1e6)


@st.composite
def observations(draw: st.DrawFn) -> Observation:
    row = VOCABULARY[draw(st.sampled_from(sorted(VOCABULARY)))]
    value = draw(st.floats(row.low, row.high))
    given_as = draw(st.sampled_from(["", f"{value!r} {row.unit}", "72 /min", "0.50 1", "low"]))
    return Observation(
        "p1", row.name, draw(_AT), NOW, value, draw(st.just(row.sigma) | _SPREAD),
        draw(st.just(row.bias) | _SPREAD), draw(st.sampled_from(["none", "below", "above"])),
        draw(_NAME), draw(_NAME), draw(_SEQ),
        draw(st.sampled_from(_ORIGINS)),
        draw(_ZONE), given_as, draw(_AT),
    )  # fmt: skip


@st.composite
def waveforms(draw: st.DrawFn) -> Waveform:
    counts = draw(st.lists(st.integers(-32768, 32767), min_size=2, max_size=40))
    a = draw(st.integers(0, len(counts) - 1))
    b = draw(st.integers(a, len(counts) - 1))
    samples = np.array(counts, np.int16)
    samples[a:b] = draw(st.sampled_from([0, -32768, 5]))
    name = draw(st.sampled_from(WAVEFORMS))
    scale = draw(st.floats(1e-9, 1e-6 if name == "ecg" else 1e-1))
    return Waveform(
        "p1", name, draw(st.integers(0, 2**61)), NOW, draw(st.floats(0.5, 5000.0)), samples, scale,
        draw(st.integers(-32768, 32767)), draw(st.just(0.0) | _SPREAD), draw(_NAME), draw(_NAME),
        draw(_SEQ), "", draw(_ZONE), ((a, b),) if b > a else (),
    )  # fmt: skip


def _flags(origin: str) -> str:
    return origin.partition("?")[2]


def _plain(reading: Observation | Waveform) -> tuple[object, ...]:
    """All that must come back: neither `received` nor where it was read."""
    if isinstance(reading, Waveform):
        r = reading
        return (
            r.subject, r.variable, r.start, r.hz, r.samples.tobytes(), r.scale, r.baseline, r.sigma,
            r.device, r.channel, r.seq, _flags(r.origin), r.zone, r.missing,
        )  # fmt: skip
    return (replace(reading, received=0, origin=_flags(reading.origin), given=""),)


def _again(readings: list[Observation | Waveform]) -> list[Observation | Waveform]:
    return read_fhir(write_fhir(readings), subject="p1", received=NOW)


@settings(max_examples=200, deadline=None)
@given(st.lists(observations() | waveforms(), min_size=1, max_size=6))
def test_a_round_trip_gives_the_same_set(readings: list[Observation | Waveform]) -> None:
    found = _again(readings)
    assert {_plain(r) for r in found} == {_plain(r) for r in readings}
    words = {r.given for r in readings if isinstance(r, Observation) and r.given}
    assert words <= {r.given for r in found if isinstance(r, Observation)}
    assert {_plain(r) for r in _again(found)} == {_plain(r) for r in found}


def test_values_are_written_as_they_came_or_in_the_shown_unit() -> None:
    row = VOCABULARY["systolic_pressure"]
    came = Observation("p1", row.name, NOW, NOW, 16e3, row.sigma, row.bias, given="16.0 kPa")
    assert b'"value":16.0,"unit":"kPa"' in write_fhir([came])
    assert b'"value":1.2,"unit":"Hz"' not in write_fhir(
        [Observation("p1", "heart_rate", NOW, NOW, 1.2, 2 / 60)]
    )


def test_the_same_reading_has_the_same_id_and_stands_once() -> None:
    one = Observation("p1", "heart_rate", NOW, NOW, 1.2, 2 / 60)
    assert write_fhir([one, replace(one, received=NOW + 5)]) == write_fhir([one])
    assert (
        len(read_fhir(write_fhir([one, replace(one, at=NOW + 1)]), subject=None, received=0)) == 2
    )


def test_subjects_that_are_no_id_are_identifiers() -> None:
    one = Observation("ward 3/bed 4", "heart_rate", NOW, NOW, 1.2, 2 / 60)
    (found,) = read_fhir(write_fhir([one]), subject="ward 3/bed 4", received=NOW)
    assert found.subject == one.subject


@pytest.mark.parametrize(
    ("changes", "kind"),
    [
        ({"value": float("nan")}, RangeError),
        ({"value": float("inf")}, RangeError),
        ({"sigma": float("inf")}, RangeError),
        ({"at": -1}, TimeError),
        ({"zone": 900}, TimeError),
        ({"variable": "nothing"}, VocabularyError),
        ({"device": "a\nb"}, FormatError),
        ({"subject": ""}, IdentityError),
    ],
)
def test_what_fhir_cannot_hold_is_refused(
    changes: dict[str, object], kind: type[Exception]
) -> None:
    one = Observation("p1", "heart_rate", NOW, NOW, 1.2, 2 / 60)
    with pytest.raises(kind):
        write_fhir([replace(one, **changes)])  # pyright: ignore[reportArgumentType]


def test_one_patient_at_a_time_and_no_empty_signal() -> None:
    one = Observation("p1", "heart_rate", NOW, NOW, 1.2, 2 / 60)
    with pytest.raises(IdentityError, match="2 patients"):
        write_fhir([one, replace(one, subject="p2")])
    with pytest.raises(IdentityError, match="0 patients"):
        write_fhir([])
    with pytest.raises(FormatError, match="without samples"):
        write_fhir([Waveform("p1", "ecg", NOW, NOW, 250.0, np.zeros(0, np.int16), 1e-6)])

"""SampledData: counts kept as sent, exact scales, gaps, limits of the device, hostile numbers."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from isosoma.core.errors import (
    FormatError,
    InputError,
    LimitError,
    RangeError,
    TimeError,
    UnitError,
)
from isosoma.core.observation import Observation, Waveform
from isosoma.exchange.fhir import Report, report_fhir

NOW = 1_771_830_000_000_000_000  # 2026-02-23T07:00:00Z
UCUM = "http://unitsofmeasure.org"
MDC = "urn:iso:std:iso:11073:10101"
Json = dict[str, Any]


def samples(text: str, **changes: object) -> Json:
    whole = {
        "origin": {"value": 0, "system": UCUM, "code": "mV"},
        "period": 4, "factor": 0.005, "dimensions": 1, "data": text, **changes,
    }  # fmt: skip
    return {k: v for k, v in whole.items() if v is not None}


def signal(data: Json, code: str = "71575-5", **more: object) -> Json:
    return {
        "resourceType": "Observation", "id": "9", "status": "final",
        "code": {"coding": [{"system": "http://loinc.org", "code": code}]},
        "subject": {"reference": "Patient/p1"}, "effectiveDateTime": "2026-02-23T07:00:00Z",
        "valueSampledData": data, **more,
    }  # fmt: skip


def report(document: Json) -> Report:
    return report_fhir(json.dumps(document).encode(), subject="p1", received=NOW)


def wave(document: Json) -> Waveform:
    (found,) = report(document).readings
    assert isinstance(found, Waveform)
    return found


def test_an_ecg_keeps_the_counts_it_was_sent_with() -> None:
    found = wave(signal(samples("1 -2 E E 32767")))
    assert (found.variable, found.hz, found.start) == ("ecg", 250.0, NOW)
    assert found.samples.tolist() == [1, -2, 0, 0, 32767]
    assert found.samples.dtype == np.int16
    assert (found.scale, found.baseline, found.missing) == (5e-6, 0, ((2, 4),))
    assert np.isnan(found.values()).tolist() == [False, False, True, True, False]
    assert (found.origin, found.sigma) == ("fhir:Observation/9", 0.0)


def test_origin_becomes_the_baseline_and_decimals_the_scale() -> None:
    origin = {"value": -5.12, "system": UCUM, "code": "mV"}
    found = wave(signal(samples("1024 1025", origin=origin)))
    assert (found.baseline, found.samples.tolist()) == (1024, [1024, 1025])
    assert found.values() == pytest.approx([0.0, 5e-6], abs=1e-18)
    decimal = wave(signal(samples("0.25 -1.5 3", factor=None)))
    assert decimal.samples.tolist() == [25, -150, 300]
    assert decimal.scale == pytest.approx(1e-5, rel=1e-15)


def test_counts_beyond_int16_are_shifted_as_a_whole() -> None:
    found = wave(signal(samples("40000 40010 60000", factor=0.0001)))
    assert found.values() == pytest.approx([4e-3, 4.001e-3, 6e-3], rel=1e-12)
    assert "requantised" not in found.origin


def test_what_16_bits_cannot_hold_is_requantised_and_said() -> None:
    wide = wave(signal(samples("0 100000 33333", factor=0.001)))
    assert wide.origin == "fhir:Observation/9?requantised"
    assert wide.values() == pytest.approx([0.0, 0.1, 0.033333], abs=2 * wide.scale)
    assert wide.sigma == pytest.approx(wide.scale / 12**0.5)
    odd = {"value": 2.048, "system": UCUM, "code": "mV"}
    off = wave(signal(samples("1 2", origin=odd, factor=0.0077)))
    assert off.values() == pytest.approx([2.0557e-3, 2.0634e-3], abs=2 * off.scale)


@pytest.mark.parametrize(
    ("changes", "hz"),
    [
        ({"period": 2.7777777777777777}, 360.0),
        ({"period": None, "interval": 8, "intervalUnit": "ms"}, 125.0),
        ({"period": None, "interval": 2000, "intervalUnit": "us"}, 500.0),
        ({"period": 0.1}, 10_000.0),
    ],
)
def test_rates_of_r4_and_r5(changes: Json, hz: float) -> None:
    assert wave(signal(samples("1 2", **changes))).hz == hz


def test_samples_beyond_the_devices_limits_are_missing_and_told() -> None:
    found = report(signal(samples("1 L U 4", lowerLimit=-1, upperLimit=1)))
    assert "2 samples beyond" in found.not_read[0]
    (block,) = found.readings
    assert isinstance(block, Waveform)
    assert (block.missing, block.origin) == (((1, 3),), "fhir:Observation/9?beyond_limits")
    silent = report(signal(samples("E E L")))
    assert silent.readings == ()
    assert "not one sample" in silent.not_read[0]


def test_dimensions_stand_interleaved() -> None:
    a, b = report(signal(samples("1 10 2 20 3 30", dimensions=2))).readings
    assert isinstance(a, Waveform)
    assert isinstance(b, Waveform)
    assert (a.samples.tolist(), b.samples.tolist()) == ([1, 2, 3], [10, 20, 30])
    assert (a.channel, b.channel) == ("/1", "/2")
    with pytest.raises(FormatError, match="in 2 dimensions"):
        report(signal(samples("1 2 3", dimensions=2)))


def test_leads_of_a_panel_become_channels() -> None:
    parts = [
        {"code": {"coding": [{"system": MDC, "code": c}]}, "valueSampledData": samples(t)}
        for c, t in (("131330", "1 2"), ("131389", "3 4"))
    ]
    whole = signal({}, component=parts)
    del whole["valueSampledData"]
    found = report(whole).readings
    assert [r.channel for r in found] == ["II", "III"]
    assert found[1].origin == "fhir:Observation/9/component[1]"


def test_a_series_of_numbers_becomes_observations() -> None:
    per_minute = {"value": 0, "system": UCUM, "code": "/min"}
    data = samples("60 E 90", origin=per_minute, factor=None, period=60_000)
    a, b = report(signal(data, "8867-4")).readings
    assert isinstance(a, Observation)
    assert isinstance(b, Observation)
    assert (a.value, b.value, b.at - a.at) == (1.0, 1.5, 120 * 10**9)
    with pytest.raises(RangeError):
        report(signal(samples("60 -90", origin=per_minute, period=1000, factor=1), "8867-4"))
    with pytest.raises(LimitError, match="over 100000"):
        report(signal(samples(" ".join(["60"] * 100_001), origin=per_minute), "8867-4"))


@pytest.mark.parametrize(
    ("data", "kind", "where"),
    [
        (samples("1 2", period=0), RangeError, ".period"),
        (samples("1 2", period=-4), RangeError, ".period"),
        (samples("1 2", period="4"), FormatError, ".period"),
        (samples("1 2", period=1e-320), RangeError, ""),
        (samples("1 2", period=None), FormatError, ""),
        (samples("1 2", interval=4, intervalUnit="ms"), FormatError, ""),
        (samples("1 2", period=None, interval=4), UnitError, ""),
        (samples("1 2", period=None, interval=4, intervalUnit="mV"), UnitError, ""),
        (samples("1 2", factor=0), FormatError, ".factor"),
        (samples("1 2", factor=1e308), InputError, ""),
        (samples("1 2", dimensions=0), FormatError, ".dimensions"),
        (samples("1 2", dimensions=2.5), FormatError, ".dimensions"),
        (samples("1  2"), FormatError, ".data"),
        (samples(" 1 2"), FormatError, ".data"),
        (samples("1 2 "), FormatError, ".data"),
        (samples("1 2 x"), FormatError, ".data"),
        (samples("1 NaN"), FormatError, ".data"),
        (samples("1 1e3"), FormatError, ".data"),
        (samples("1 ."), FormatError, ".data"),
        (samples("1 -"), FormatError, ".data"),
        (samples("1 EE"), FormatError, ".data"),
        (samples("1 1.2.3"), FormatError, ".data"),
        (samples("1 ٣"), FormatError, ".data"),
        (samples("1 " + "9" * 16), FormatError, ".data"),
        (samples("0." + "1" * 14 + " " + "9" * 15), FormatError, ".data"),
        (samples("1 2", data=None), FormatError, ".data"),
        (samples("1 2", origin={"value": 2048}), UnitError, ".origin"),
        (samples("1 2", origin={"value": 0, "system": UCUM, "code": "mm[Hg]"}), UnitError, ""),
        (samples("1 2", origin={"system": UCUM, "code": "mV"}), FormatError, ".origin.value"),
        (samples("1 2", offsets="0 4"), FormatError, ""),
        (samples("1 900000"), RangeError, ""),
        (samples("1 2", period=1e9 * 3600), RangeError, ".period"),
        (samples(" ".join(["1"] * 9000), period=1e9), TimeError, ".period"),
    ],
)
def test_data_that_cannot_be(data: Json, kind: type[InputError], where: str) -> None:
    with pytest.raises(kind) as caught:
        report(signal(data))
    assert caught.value.where.startswith(f"fhir: Observation.valueSampledData{where}")


_COUNTS = st.lists(st.one_of(st.none(), st.integers(-32768, 32767)), min_size=1, max_size=60)


@settings(max_examples=150, deadline=None)
@given(_COUNTS, st.integers(1, 9999), st.integers(-3000, 3000))
def test_counts_survive_exactly(counts: list[int | None], thousandths: int, baseline: int) -> None:
    known = [c for c in counts if c is not None]
    factor = thousandths / 1e6  # [mV]
    origin = {"value": -baseline * factor, "system": UCUM, "code": "mV"}
    text = " ".join("E" if c is None else str(c) for c in counts)
    found = report(signal(samples(text, factor=factor, origin=origin))).readings
    if not known:
        assert found == ()
        return
    (block,) = found
    assert isinstance(block, Waveform)
    assert (block.baseline, block.scale) == (baseline, factor * 1e-3)
    assert block.samples.tolist() == [c or 0 for c in counts]
    lost = {i for a, b in block.missing for i in range(a, b)}
    assert lost == {i for i, c in enumerate(counts) if c is None}

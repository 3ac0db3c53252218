"""Entries in words: units, spans of time and value, verdicts counted, nothing of the erased."""

from __future__ import annotations

import json

import numpy as np
import pytest

from isosoma.core.observation import Observation, Waveform
from isosoma.record import Draft, encode_observations, encode_waveform, erase, open_log
from isosoma.serve.entry_text import Tally, mapping, table

DAY = 1_777_593_600 * 10**9  # 2026-05-01T00:00:00Z


def beat(at, value, **more):
    return Observation("p1", "heart_rate", DAY + at * 10**9, DAY, value / 60, 0.01, **more)


@pytest.fixture
def log(tmp_path):
    with open_log(tmp_path / "log") as log:
        yield log


def lines(log, drafts, patient="p1"):
    log.append(patient, drafts).result()
    return list(table(log.entries(erased=True)))


def test_observations_have_units_and_spans(log):
    warm = Observation("p1", "body_temperature", DAY, DAY, 309.95, 0.1)
    block = encode_observations([beat(0, 72), beat(60, 75), warm])
    said = lines(log, [Draft("observations", block)])[1]
    assert "2 × heart_rate 72 to 75 /min" in said
    assert "1 × body_temperature 36.8 °C;" in said
    assert said.endswith("2026-05-01T00:00:00.000Z to 2026-05-01T00:01:00.000Z")


def test_a_recording_without_a_date_is_given_none(log):
    wave = Waveform(
        "p1", "ecg", 90 * 10**9, DAY, 250.0, np.zeros(375, np.int16), 1e-6, channel="II",
        origin="wfdb:100?relative_time", missing=((3, 5),),
    )  # fmt: skip
    said = lines(log, [Draft("waveform", encode_waveform(wave))])[1]
    assert "ecg II, 1.5 s from second 90 of the recording, 250 Hz" in said
    assert "2 of 375 samples missing" in said
    assert "1970" not in said


def test_verdicts_are_counted_by_reason_and_summed_up(log):
    held = {
        "by": "q", "count": 9, "late": {"0": "late", "1": "beyond"},
        "verdicts": {"0": [0.5, "a jump"], "3": [0.1, "lead off"], "4": [0.2, "lead off"]},
    }  # fmt: skip
    _, said, total = lines(log, [Draft("verdicts", held)])
    assert "9 judged, 6 good; 2 in doubt (lead off); 1 in doubt (a jump)" in said
    assert "1 late; 1 too late for the live readings" in said
    assert "9 readings judged: 6 good, 3 in doubt, 2 of these withheld" in total


def test_the_erased_are_counted_and_not_told(log):
    log.append("p2-long-id", [Draft("decision", {"why": "CANARY"})]).result()
    log.append("p1", [Draft("decision", {"stent": True})]).result()
    erase(log, "p2-long-id", "privacy desk", "asked")
    said = list(table(log.entries(erased=True)))
    assert "CANARY" not in "\n".join(said)
    assert said[1].endswith("erased")
    assert '{"stent": true}' in said[2]
    assert "[privacy desk, erasure]" in said[3]
    assert said[-1] == "3 entries (2 decision, 1 erasure); 1 patient; 1 erased"
    first = mapping(next(log.entries(erased=True)))
    assert (first["erased"], first["content"], first["patient"]) == (True, None, "")


def test_bytes_and_long_content_are_cut_and_nothing_is_no_fault(log):
    _, raw, text, _ = lines(
        log, [Draft("reading", b"\xff\xfe"), Draft("reading", {"a": "x" * 200})]
    )
    assert '{"bytes": 2}' in raw
    assert text.endswith("x…")
    assert str(Tally()) == "0 entries (none); 0 patients"
    assert json.dumps([mapping(e) for e in log.entries()])

"""Channels on one clock; what is no ECG or no record gets a sentence."""

from __future__ import annotations

import numpy as np
import pytest

from isosoma.core.errors import FormatError, InputError
from isosoma.core.observation import Waveform
from isosoma.serve import recording as recorded
from isosoma.serve.analysis import LEADS, leads_of, pulse_of
from isosoma.serve.recording import Channel, Recording, channel_index, load

SECOND = 10**9


def wave(variable: str, channel: str, hz: float, start: float, samples: list[int]) -> Waveform:
    counts = np.array(samples, np.int16)
    return Waveform("p", variable, round(start * SECOND), 0, hz, counts, 1e-3, channel=channel)


def joined(*waves: Waveform, hz: float) -> dict[str, list[float]]:
    found = recorded._join(list(waves), hz)  # pyright: ignore[reportPrivateUsage]
    return {c.name: np.round(c.values * 1e3, 6).tolist() for c in found}


def test_blocks_lie_where_their_clock_says_and_between_them_is_nothing():
    found = joined(wave("ecg", "II", 4.0, 10.0, [1, 2]), wave("ecg", "II", 4.0, 11.0, [3]), hz=4.0)
    assert found["II"][:2] == [1, 2]
    assert np.isnan(found["II"][2:4]).all()
    assert found["II"][4] == 3


def test_a_channel_that_starts_later_or_ends_sooner_is_padded_with_nothing():
    found = joined(wave("ecg", "II", 4.0, 0.0, [1, 2, 3, 4]), wave("ecg", "V", 4.0, 0.5, [7]), hz=4)
    assert found["II"] == [1, 2, 3, 4]
    assert np.isnan(found["V"][:2]).all()
    assert found["V"][2] == 7
    assert np.isnan(found["V"][3])


def test_a_slower_channel_is_interpolated_and_the_ecg_untouched():
    found = joined(
        wave("ecg", "II", 4.0, 0.0, [0, 9, 0, 9]),
        wave("arterial_pressure", "ABP", 2.0, 0.0, [10, 20]),
        hz=4.0,
    )
    assert found["II"] == [0, 9, 0, 9]
    assert found["ABP"][:3] == [10, 15, 20]


FLAT = np.zeros(10)
CHANNELS = (
    Channel("RESP", "respiration", FLAT),
    Channel("II", "ecg", FLAT),
    Channel("PLETH", "plethysmogram", FLAT),
    Channel("V", "ecg", FLAT),
    Channel("ABP", "arterial_pressure", FLAT),
    Channel("aVR", "ecg", FLAT),
    Channel("I", "ecg", FLAT),
)


@pytest.mark.parametrize(("wanted", "index"), [(None, 1), ("V", 3), ("3", 3), ("1", 1)])
def test_a_lead_is_chosen_by_name_or_number(wanted, index):
    assert channel_index(CHANNELS, wanted, "x") == index


@pytest.mark.parametrize(("wanted", "said"), [("RESP", "is no ECG"), ("9", "there is no channel")])
def test_a_lead_that_is_none_is_refused_with_the_choice(wanted, said):
    with pytest.raises(InputError, match=said) as caught:
        channel_index(CHANNELS, wanted, "x")
    assert "1 II" in str(caught.value)


def test_the_chosen_lead_comes_first_and_a_pressure_before_a_plethysmogram():
    recording = Recording("x", "replay", 250.0, CHANNELS, lead=3)
    assert leads_of(recording) == [3, 1, 5]
    assert len(leads_of(recording)) == LEADS
    assert pulse_of(recording) == (4, "arterial_pressure")
    assert pulse_of(Recording("x", "replay", 250.0, CHANNELS[:4])) == (2, "plethysmogram")
    assert pulse_of(Recording("x", "replay", 250.0, CHANNELS[:2])) is None


def write_csv(folder, name: str, column: str, unit: str) -> str:
    rows = [f"{i / 250:.3f},{0.001 * (i % 7):.4f}" for i in range(500)]
    path = folder / name
    path.write_text("\n".join([f"time,{column}", f"s,{unit}", *rows, ""]))
    return str(path)


def test_a_table_with_an_ecg_is_a_recording(tmp_path):
    found = load(write_csv(tmp_path, "own.csv", "ecg", "mV"))
    assert (found.name, found.kind, found.length) == ("own", "replay", 500)
    assert found.hz == pytest.approx(250.0)
    assert found.channels[0].values[6] == pytest.approx(6e-6)


def test_what_holds_no_ecg_or_is_not_there_gets_a_sentence(tmp_path):
    other = write_csv(tmp_path, "pressure.csv", "arterial_pressure", "mm[Hg]")
    with pytest.raises(FormatError, match="no ECG"):
        load(other)
    for missing in (tmp_path / "100", tmp_path):
        with pytest.raises(InputError, match="no such record"):
            load(missing)

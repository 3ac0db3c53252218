"""What names of signals mean: leads, monitors' words, and names that say nothing."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from isosoma.core.vocabulary import VOCABULARY
from isosoma.exchange.signal_names import variable_of


@pytest.mark.parametrize(
    "name",
    ["I", "II", "III", "V", "V1", "v6", "V3R", "aVR", "aVL", "AVF", "MLII", "MLIII", "MCL1",
     "CM5", "CC5", "D2", "lead II", "mod.V1", "ECG", "ECG lead II", "EKG1", "ecg:x"],
)  # fmt: skip
def test_leads_in_volts_are_an_ecg(name):
    assert variable_of(name, "mV") == "ecg"


@pytest.mark.parametrize(
    ("name", "row"),
    [
        ("ABP", "arterial_pressure"), ("ART mean", "arterial_pressure"),
        ("PAP", "pulmonary_artery_pressure"), ("CVP", "central_venous_pressure"),
        ("Pleth", "plethysmogram"), ("PPG green", "plethysmogram"), ("RESP", "respiration"),
        ("Respiration", "respiration"),
    ],
)  # fmt: skip
def test_monitors_words(name, row):
    assert variable_of(name, "mmHg") == row


@pytest.mark.parametrize(
    ("name", "unit"),
    [
        ("I", "mmHg"), ("V", ""), ("II", "NU"),  # a lead is measured in volts
        ("col 1", "mV"), ("", "mV"), ("IIII", "mV"), ("V0", "mV"), ("V1 V2", "mV"),
        ("partial", "mmHg"), ("heart", "mV"), ("abpx", "mmHg"), ("EEG Fpz", "uV"),
    ],
)  # fmt: skip
def test_a_name_that_says_nothing_stays_nameless(name, unit):
    assert variable_of(name, unit) == "unnamed_signal"


@given(st.text(max_size=30), st.text(max_size=5))
def test_every_answer_is_a_row_of_the_vocabulary(name, unit):
    assert variable_of(name, unit) in VOCABULARY

"""The synthetic patient's truth is found again, and no chunking changes a beat."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from isosoma.serve import events
from isosoma.serve.analysis import advance, begin, heart_rate
from isosoma.serve.cli_beats import find, summary
from isosoma.serve.synthetic import simulate

RECORDING = simulate(90.0, rate=66.0, seed=3)


def test_every_true_beat_is_found_where_it_is():
    found = np.array([b.r for b in find(RECORDING, 0.1)])
    truth = RECORDING.truth
    assert truth is not None
    assert len(found) == len(truth)
    assert np.abs(found - truth).max() <= 0.03 * RECORDING.hz


@settings(max_examples=15, deadline=None)
@given(st.floats(0.004, 20.0))
def test_any_chunking_gives_the_same_beats(chunk):
    assert find(RECORDING, chunk) == find(RECORDING, 1.0)


def test_the_rate_is_the_truth_within_its_interval():
    state = begin(RECORDING.hz)
    advance(state, RECORDING.channels[0].values[: round(60 * RECORDING.hz)])
    rate = heart_rate(state)
    assert rate is not None
    assert rate.low < 66.0 < rate.high
    assert rate.high - rate.low < 10


def test_a_flat_line_is_asystole_and_a_lost_signal_is_a_lead():
    hz = int(RECORDING.hz)
    heart = RECORDING.channels[0].values[: 20 * hz]
    state = begin(hz)
    advance(state, np.concatenate([heart, np.full(8 * hz, heart[-1])]))
    assert heart_rate(state) is None
    assert "asystole" in events.present(state)
    state = begin(hz)
    advance(state, np.concatenate([heart, np.full(8 * hz, np.nan)]))
    assert "no signal" in events.present(state)
    assert "asystole" not in events.present(state)
    assert events.lead_off(state)


def test_a_summary_of_nothing_says_so():
    assert summary(RECORDING, [])["mean_heart_rate_per_min"] is None

"""The look over a stretch of readings finds what each detector finds, in any order of arrival."""

from __future__ import annotations

import numpy as np
import pytest

from isosoma.core.observation import Observation, Waveform
from isosoma.quality import Context, examine, judge_many, start, uncertainty, with_findings
from isosoma.quality.test_set_up import flush, messages, patient

MMHG = 133.322387415
S = 1_000_000_000
NAMES = ("systolic_pressure", "diastolic_pressure", "mean_arterial_pressure")


def stretch(step_cm=0.0, cuff_follows=False, ring=0.0, seed=0):
    """Ten minutes of a line and a monitor, a cuff each 75 s."""
    mean, pulse, rate = patient(seed)
    g = np.random.default_rng(seed)
    moved = np.where(np.arange(40) >= 20, -step_cm * 0.77 * MMHG, 0.0)
    out = []
    for i in range(40):
        t = i * 15 * S
        m, p = mean[i] + moved[i], pulse[i] + ring
        line = (m + 2 * p / 3, m - p / 3, m)
        out.append(Observation("p", "heart_rate", t, t, rate[i], 0.03, device="monitor"))
        out += [
            Observation("p", n, t, t, x, 100.0, device="monitor", channel="abp")
            for n, x in zip(NAMES, line, strict=True)
        ]
        if i % 5 == 0:
            m = (m if cuff_follows else mean[i]) + g.normal(0, 2) * MMHG
            cuff = (m + 2 * pulse[i] / 3, m - pulse[i] / 3, m)
            out += [
                Observation("p", n, t, t, x, 600.0, device="monitor", channel="nibp")
                for n, x in zip(NAMES, cuff, strict=True)
            ]
    return out


def kinds(found):
    return {f.kind for f in found}


def test_a_well_set_up_bed_is_silent():
    loud = [s for s in range(30) if examine(stretch(seed=s))]
    assert loud == []


def test_moved_transducer_enters_the_bias_of_what_follows():
    readings = stretch(step_cm=18.0)
    found = examine(readings)
    assert kinds(found) == {"levelling"}
    assert "above" in found[0].reason
    state = with_findings(start(), found)
    state, verdicts = judge_many(state, readings)
    late = [
        (o, v) for o, v in zip(readings, verdicts, strict=True)
        if o.channel == "abp" and o.at == 495 * S
    ]  # fmt: skip
    assert len(late) == 3
    for o, v in late:
        assert "level it with the heart" in v.reason
        assert uncertainty(o, v, state)[1] == pytest.approx(18 * 0.77 * MMHG, rel=0.3)
    cuff = next(o for o in readings if o.channel == "nibp" and o.at > 450 * S)
    assert uncertainty(cuff, verdicts[0], state)[1] == 0.0


def test_a_pressure_that_the_cuff_sees_too_is_the_patient():
    seen = [s for s in range(20) if examine(stretch(step_cm=18.0, cuff_follows=True, seed=s))]
    assert len(seen) <= 1


def test_ringing_line_cuff_size_and_order_of_arrival():
    readings = stretch(ring=30 * MMHG)
    context = Context(arm_circumference_cm=41.0, cuff="adult")
    found = examine(readings, context)
    assert kinds(found) == {"underdamped", "cuff_size"}
    g = np.random.default_rng(0)
    for _ in range(5):
        assert examine([readings[i] for i in g.permutation(len(readings))], context) == found


def test_flush_clock_and_sampling_rate():
    x = flush(8.0, 0.15, 0)
    line = Waveform("p", "arterial_pressure", 0, 0, 250.0, (x / 10).astype(np.int16), 10.0)
    device, received = messages(0, 200.0)
    ticks = [
        Observation("p", "heart_rate", int(r), int(r), 1.2, 0.1, device="watch", device_at=int(d))
        for d, r in zip(device, received, strict=True)
    ]
    blocks = [
        Waveform("p", "ecg", round(i * 250 / 249.7 * S), 0, 250.0, np.zeros(250, np.int16), 1e-6,
                 device="patch", seq=i)
        for i in range(60)
    ]  # fmt: skip
    assert kinds(examine([line, *ticks, *blocks])) == {"underdamped", "clock_skew", "sample_clock"}

"""Limits of the arterial pressure follow age and what was usual; the page says value and limit."""

from __future__ import annotations

import asyncio

import numpy as np
import pytest

from isosoma.core.errors import RangeError
from isosoma.core.observation import Observation
from isosoma.core.units import to_si
from isosoma.exchange.patient_file import PatientFile
from isosoma.scenario.complication_table import complications
from isosoma.serve.hub import Alarms
from isosoma.serve.own_limits import own_limits, usual
from isosoma.serve.player import CHUNK, announce, player_of, standing, step
from isosoma.serve.recording import Channel, Recording
from isosoma.serve.synthetic import MMHG, simulate
from isosoma.signals.events import rules_for
from isosoma.signals.pressure_limits import limit_at, pressure_limits

T0, YEAR = 1_790_000_000 * 10**9, 365.25 * 86400.0


def described(age=None, born=None):
    return PatientFile("bed-2", "f", born, age, None, None, (), ())


def read(variable, values):
    return [
        Observation("bed-2", variable, T0 + i, T0 + i, to_si(v, "mm[Hg]"), 0.0, origin="test")
        for i, v in enumerate(values)
    ]


def test_age_is_told_or_is_that_since_birth():
    child = own_limits(described(age=5.0 * YEAR), [], T0)
    born = own_limits(described(born=T0 - round(5.0 * YEAR * 1e9)), [], T0)
    assert child.low_mean == pytest.approx(born.low_mean) == pytest.approx(to_si(48.0, "mm[Hg]"))
    assert own_limits(described(), [], T0) == pressure_limits()
    with pytest.raises(RangeError, match="bed-2"):
        own_limits(described(age=200.0 * YEAR), [], T0)


def test_what_is_usual_needs_three_readings_and_a_cuff_tells_a_mean():
    mean = read("mean_arterial_pressure", [100, 104, 96])
    assert usual(mean[:2], "mean_arterial_pressure") is None
    assert usual(mean, "mean_arterial_pressure") == pytest.approx(to_si(100.0, "mm[Hg]"))
    cuff = read("systolic_pressure", [150, 150, 150]) + read("diastolic_pressure", [90, 90, 90])
    assert usual(cuff, "mean_arterial_pressure") == pytest.approx(to_si(110.0, "mm[Hg]"))
    own = own_limits(described(age=60.0 * YEAR), cuff, T0)
    assert own.low_mean == pytest.approx(to_si(81.25, "mm[Hg]")), "at most a quarter over 65"
    assert own.high_systolic == pytest.approx(1.3 * to_si(150.0, "mm[Hg]"))


def test_the_alarm_and_the_complication_agree_on_a_low_pressure():
    """Two rooms keep the rows, since neither may import the other."""
    table = complications().ages["low_mean_pressure"]
    for age, limit in zip(table.ages, table.limits, strict=True):
        assert limit_at("low_mean", age) == pytest.approx(limit)


def low_line(mean=58.0):
    made = simulate(60.0, seed=5)
    wave = made.channels[1].values
    low = mean * MMHG + 1.2 * (wave - np.mean(wave))
    return Recording("x", "replay", made.hz, (made.channels[0],
                     Channel("ABP", "arterial_pressure", low)))  # fmt: skip


def alarms_in(player, seconds):
    alarms = Alarms()

    async def flow():
        for _ in range(round(seconds / CHUNK)):
            step(player)
            await announce(player, alarms)

    asyncio.run(flow())
    return alarms.since(0)


def test_the_page_says_which_pressure_how_high_and_the_limit():
    player = player_of(low_line())
    said = alarms_in(player, 40.0)
    assert [(a["code"], a["priority"], a["on"]) for a in said] == [
        ("low arterial pressure", "medium", True)
    ]
    assert said[0]["text"] in {
        f"Low arterial pressure: mean {v} mmHg, below 65" for v in (57, 58, 59)
    }
    assert standing(player)[0]["text"] == said[0]["text"]


def test_the_same_pressure_is_no_alarm_of_a_child():
    player = player_of(low_line(), rules_for(pressure_limits(3.0)))
    assert [a["code"] for a in alarms_in(player, 40.0)] == []

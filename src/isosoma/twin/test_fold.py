"""What a fold makes of readings: learned, said, aged; the same for any order."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pytest

from isosoma.core.errors import TimeError
from isosoma.core.observation import GOOD, Observation, Verdict, Waveform
from isosoma.core.units import to_si
from isosoma.infer.belief import Reading
from isosoma.organs.circulation.act_changes import interventions
from isosoma.organs.circulation.acts import read_acts
from isosoma.organs.circulation.body import Person, inputs_of
from isosoma.twin.fold import Subject, Twin, absorbed, fold
from isosoma.twin.forecasting import believed, expected, over_breath, rehearsed, spacing
from isosoma.twin.release import Release

T0 = 1_790_000_000 * 10**9
MINUTE = 60 * 10**9
SUBJECT = Subject("p", Person())
RELEASE = Release(members=48)
SBP, SPO2, RATE = "systolic_pressure", "oxygen_saturation", "heart_rate"
EF = "left_ventricular_ejection_fraction"
EDV = "left_ventricular_end_diastolic_volume"


@dataclass(frozen=True)
class Facts:
    readings: tuple[Observation | Waveform, ...]
    verdicts: tuple[Verdict, ...]


def reading(name: str, value: float, unit: str, sigma: float, at: int = T0) -> Observation:
    si = to_si(value, unit), to_si(sigma, unit)
    return Observation("p", name, at, at, *si, device="cuff" if "pressure" in name else "other")


def facts(*rows: Observation) -> Facts:
    return Facts(rows, (GOOD,) * len(rows))


def vitals(count: int, systolic: float = 122.0, every: int = 15) -> tuple[Observation, ...]:
    return tuple(
        row
        for i in range(count)
        for row in (
            reading(SBP, systolic + i % 3, "mm[Hg]", 6.0, T0 + i * every * MINUTE),
            reading("diastolic_pressure", 76.0, "mm[Hg]", 5.0, T0 + i * every * MINUTE),
            reading(SPO2, 97.0, "%", 1.5, T0 + i * every * MINUTE),
            reading(RATE, 70.0, "/min", 2.0, T0 + i * every * MINUTE),
        )
    )


ECHO = (reading(EDV, 150.0, "mL", 10.0), reading(EF, 45.0, "%", 4.0))


def folded(*rows: Observation, until: int = T0 + 10**15) -> Twin:
    return fold(facts(*rows), SUBJECT, RELEASE, until)


def ratio(twin: Twin, name: str) -> float:
    return next(i.ratio for i in twin.informed if i.name == name)


def median(twin: Twin, name: str) -> float:
    _, values = believed(twin, twin.belief.at)
    return float(np.median(values[name]))


def test_without_a_reading_a_twin_is_its_prior():
    twin = folded()
    assert twin.misfit == ()
    assert all("not informed" in i.sentence for i in twin.informed)
    assert twin.newest() == {}


def test_echo_informs_contractility():
    without, with_echo = folded(*vitals(4)), folded(*vitals(4), *ECHO)
    assert ratio(with_echo, "lv_elastance") < 0.8 * ratio(without, "lv_elastance")
    weak, usual = (median(t, "lv_elastance") for t in (with_echo, without))
    assert weak < 0.85 * usual, "a weak heart"
    said = expected(with_echo, with_echo.belief.at, [EF]).range_of(EF)
    assert 0.42 < said.median < 0.51


def test_a_twin_comes_near_to_what_was_read():
    twin = folded(*vitals(6, 150.0))
    assert twin.misfit[-1] < 2.0 < twin.misfit[0]
    seen = expected(twin, twin.belief.at).range_of(SBP)
    assert seen.low < to_si(151.0, "mm[Hg]") < seen.high
    assert seen.low < seen.inner_low < seen.median < seen.inner_high < seen.high


def test_the_older_the_data_the_wider_the_forecast():
    twin = folded(*vitals(6))
    widths = list[float]()
    for hours in (0, 2, 24):
        one = expected(twin, twin.belief.at + hours * 60 * MINUTE)
        assert one.age == pytest.approx(3600.0 * hours)
        widths.append(one.members[:, one.outputs.index("cardiac_output")].std())
    assert widths == sorted(widths)
    assert widths[2] > 1.04 * widths[0]
    with pytest.raises(TimeError, match="before the newest reading"):
        expected(twin, T0)


def test_what_is_stale_is_told_with_its_age():
    twin = folded(*vitals(3), *ECHO)
    at = T0 + 31 * MINUTE
    assert set(twin.stale(at)) == set()
    late = twin.stale(at + 40 * MINUTE)
    assert late[SBP] == pytest.approx(41 * 60.0)
    assert EF not in late, "an echo speaks for a month"


def test_until_cuts_the_fold():
    rows = vitals(8)
    half = folded(*rows, until=T0 + 50 * MINUTE)
    assert half.digest == folded(*vitals(4), until=T0 + 50 * MINUTE).digest
    assert half.digest != folded(*rows).digest


@pytest.mark.parametrize("seed", [0, 1])
def test_order_and_repeats_leave_no_trace(seed):
    rows = (*vitals(8), *ECHO)
    chance = np.random.default_rng(seed)
    mixed = [rows[i] for i in chance.permutation(len(rows))]
    again = [rows[i] for i in chance.integers(0, len(rows), 6)]
    assert folded(*mixed, *again).digest == folded(*rows).digest


def test_another_seed_is_another_release():
    rows = vitals(2)
    other = fold(facts(*rows), SUBJECT, replace(RELEASE, seed=1), T0 + 10**15)
    assert other.release.digest != RELEASE.digest
    assert other.digest != folded(*rows).digest


def test_what_teaches_nothing_is_said():
    strange = reading("body_temperature", 37.0, "Cel", 0.2)
    known = Facts(
        (*vitals(1), strange, reading(SBP, 20.0, "mm[Hg]", 6.0)),
        (GOOD,) * 5 + (Verdict("the cuff was loose", 0.1),),
    )
    twin = fold(known, SUBJECT, RELEASE, T0 + 10**15)
    assert dict(twin.unused) == {
        "body_temperature": "the model does not predict it",
        SBP: "withheld: the cuff was loose",
    }


def test_a_collapse_is_believed_at_once():
    rows = vitals(8)
    last = T0 + 8 * 15 * MINUTE
    crash = (reading(SBP, 62.0, "mm[Hg]", 6.0, last), reading(RATE, 125.0, "/min", 2.0, last))
    twin = folded(*rows, *crash)
    report = twin.timeline.reports[-1]
    assert all(d.taken for d in report.decisions), "red flags pass the gate"
    seen = expected(twin, last).range_of(SBP)
    assert seen.median < to_si(108.0, "mm[Hg]"), "ten more in one reading than the walk allows"
    assert "out of sync" in report.out_of_sync


def test_acts_are_rehearsed_on_every_member():
    twin = folded(*vitals(4))
    plan = interventions(read_acts(["bleed 800 mL in 4 min at 0 s"]), SUBJECT.person)
    course = rehearsed(twin, twin.belief.at, plan, 300.0, 100.0, members=16)
    after = course.output("mean_arterial_pressure")
    assert after.shape == (3, 16)
    assert np.nanmedian(after[-1] / after[0]) < 0.97


def test_frames_a_third_of_a_breath_apart_average_out_the_breath():
    twin = folded(*vitals(4))
    every = spacing(SUBJECT.person, 120.0, 12)
    breath = 1.0 / inputs_of(SUBJECT.person)["breathing_frequency"]
    assert every % breath == pytest.approx(breath / 3.0)
    course = rehearsed(twin, twin.belief.at, (), 12 * every, every, members=8)
    raw, mean = course.output(SBP), over_breath(course, SBP)
    assert mean.shape == raw.shape
    np.testing.assert_allclose(mean[5], raw[4:7].mean(axis=0))
    np.testing.assert_array_equal(mean[-1], mean[-2])
    assert mean[2:].std(axis=0).max() < 0.5 * raw[2:].std(axis=0).min()


def test_a_fold_tells_how_far_it_is_and_is_the_same():
    told = []
    twin = fold(facts(*vitals(7)), SUBJECT, RELEASE, T0 + 10**15, told.append)
    assert twin.digest == folded(*vitals(7)).digest
    assert told == sorted(told)
    assert (len(told) >= 2, told[-1]) == (True, 1.0)


def test_absorbing_what_came_is_folding_everything():
    early, late = vitals(6), vitals(8)[24:]
    twin = folded(*early)
    kept = absorbed(twin, [Reading(o) for o in late], T0 + 10**15)
    assert kept.digest == folded(*early, *late).digest
    assert kept.timeline.readings != twin.timeline.readings


def test_a_reading_of_the_first_hour_or_of_a_new_variable_folds_all_again():
    early = vitals(6)
    kept = absorbed(folded(*early), [Reading(o) for o in ECHO], T0 + 10**15)
    assert kept.digest == folded(*early, *ECHO).digest
    assert absorbed(folded(), [Reading(o) for o in early], T0 + 10**15).digest == (
        folded(*early).digest
    )

"""Each rule with a patient who must pass and a fault that must be caught."""

from __future__ import annotations

import math

import pytest

from isosoma.core.observation import WITHHOLD_BELOW, Observation, Verdict
from isosoma.quality import Context, Finding, judge, judge_many, start, uncertainty, with_findings

MMHG = 133.322387415
S = 1_000_000_000
MG_DL = 0.01 / 0.18016
PRESSURES = ("systolic_pressure", "diastolic_pressure", "mean_arterial_pressure")


def ob(variable, value, at=1000.0, *, device="m1", channel="", origin="", sigma=1.0, **more):
    t = round(at * S)
    more.setdefault("received", t)
    return Observation(
        "p",
        variable,
        t,
        value=value,
        sigma=sigma,
        device=device,
        channel=channel,
        origin=origin,
        **more,
    )


def bp(*mmhg, at=1000.0, channel="nibp", **more):
    return [
        ob(v, x * MMHG, at, channel=channel, **more) for v, x in zip(PRESSURES, mmhg, strict=True)
    ]


PLAIN = Context()


def weights(readings, context=PLAIN):
    return [v.weight for v in judge_many(start(context), readings)[1]]


def hr(rate, at=1000.0, **more):
    return ob("heart_rate", rate / 60, at, **more)


def temp(celsius, at=1000.0, **more):
    return ob("body_temperature", celsius + 273.15, at, **more)


def cgm(mg_dl, minute, **more):
    return ob("interstitial_glucose", mg_dl * MG_DL, minute * 60.0, channel="cgm", **more)


PATIENTS = {
    "newborn 60/35": (bp(60, 35, 43), Context(age_years=0.01)),
    "preterm 38/20": (bp(38, 20, 26), Context(age_years=0.01)),
    "crisis 240/130": (bp(240, 130, 167), Context(age_years=60)),
    "bypass, MAP 55 without pulse": (bp(55, 55, 55, channel="abp"), Context(flags={"bypass"})),
    "newborn HR 210": ([hr(210)], Context(age_years=0.01)),
    "DHCA 18 °C": ([temp(18)], Context(flags=frozenset({"hypothermia"}))),
    "fever 41.5": ([temp(41.5)], Context()),
    "hypoxia 62 %": ([ob("oxygen_saturation", 0.62)], Context()),
    "glucose 45": ([cgm(45, 600)], Context()),
}  # fmt: skip


@pytest.mark.parametrize("name", PATIENTS)
def test_patient_passes_untouched(name):
    readings, context = PATIENTS[name]
    assert weights(readings, context) == [1.0] * len(readings)


ALARMING = {
    "asystole": [hr(0)],
    "escape rhythm 15": [hr(15)],
    "flutter 310": [hr(310)],
    "tamponade 70/58": bp(70, 58, 62),
    "tamponade PP 8": bp(68, 60, 63),
    "line without pulse, context unknown": bp(55, 55, 55, channel="abp"),
    "SYS 40": bp(40, 25, 30),
    "SYS 285": bp(285, 140, 188),
    "core 26 °C": [temp(26)],
    "44 °C": [temp(44)],
    "SpO2 35 %": [ob("oxygen_saturation", 0.35)],
    "pause of 6 s": [ob("rr_interval", 6.0)],
    "RR 190 ms": [ob("rr_interval", 0.19)],
}


@pytest.mark.parametrize("name", ALARMING)
def test_alarming_is_never_withheld(name):
    assert min(weights(ALARMING[name])) >= WITHHOLD_BELOW


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (hr(0, 1000), hr(0, 1001)),
        (temp(26, 1000), temp(26.1, 1300)),
        (ob("oxygen_saturation", 0.35, 1000), ob("oxygen_saturation", 0.36, 1010)),
        (hr(15, 1000), ob("pulse_rate", 15 / 60, 1001, device="oximeter")),
    ],
)
def test_a_second_reading_restores_full_weight(first, second):
    alone, confirmed = weights([first, second])
    assert alone < 1.0
    assert confirmed == 1.0


def test_a_disconnected_monitor_does_not_confirm_itself_against_a_living_pulse():
    pulse = [ob("pulse_rate", 80 / 60, 1000.5 + i, device="oximeter") for i in range(5)]
    zeros = [hr(0, 1001.0 + i) for i in range(5)]
    readings = sorted([*pulse, *zeros], key=lambda o: o.at)
    _, verdicts = judge_many(start(), readings)
    told = [v for o, v in zip(readings, verdicts, strict=True) if o.variable == "heart_rate"]
    assert {v.weight for v in told} == {0.5}


def test_cuff_and_line_of_one_monitor_at_one_instant_are_not_mixed():
    line, cuff = bp(150, 60, 90, channel="abp"), bp(120, 80, 93)
    assert min(weights([*line, *cuff])) == min(weights([*cuff, *line])) == 1.0
    still = weights([*bp(55, 55, 55, channel="abp"), *cuff], Context(flags=frozenset({"arrest"})))
    assert still[:3] == [1.0] * 3


def test_tamponade_confirmed_by_a_second_cuff_reading():
    both = weights([*bp(68, 60, 63, at=1000), *bp(69, 61, 64, at=1200)])
    assert max(both[:3]) == 0.5
    assert min(both[3:]) == 1.0


FAULTS = {
    "cuff without pulse": (bp(90, 90, 90), 0.0),
    "DIA over SYS": (bp(80, 120, 100, channel=""), 0.0),
    "MAP outside": (bp(120, 80, 140), 0.0),
    "MAP at 0.8 PP": (bp(140, 80, 128), 0.4),
    "movement": (bp(120, 80, 93, origin="gatt:2A35?movement,irregular_pulse"), 0.5),
    "cuff loose": (bp(120, 80, 93, origin="gatt:2A35?cuff_loose"), 0.35),
    "no contact, zero": ([hr(0, origin="gatt:2A37?no_contact")], 0.0),
    "no contact": ([hr(70, origin="gatt:2A37?no_contact")], 0.4),
    "low perfusion": (
        [ob("oxygen_saturation", 0.95), ob("perfusion_index", 0.001)], 0.4,
    ),
    "not a number": ([ob("oxygen_saturation", math.nan)], 0.0),
    "impossible": ([ob("heart_rate", -1.0)], 0.0),
    "future": ([hr(70, received=0)], 0.0),
    "CGM 500, uncensored": ([cgm(520, 600)], 0.3),
}  # fmt: skip


@pytest.mark.parametrize("name", FAULTS)
def test_fault_is_caught_with_a_reason(name):
    readings, weight = FAULTS[name]
    _, verdicts = judge_many(start(), readings)
    worst = min(verdicts, key=lambda v: v.weight)
    assert worst.weight == weight
    assert len(worst.reason) > 20


def test_two_cuff_readings_within_a_minute_and_after_it():
    soon = weights([*bp(120, 80, 93, at=0), *bp(121, 80, 93, at=40)])
    later = weights([*bp(120, 80, 93, at=0), *bp(121, 80, 93, at=60)])
    assert (soon[3], later[3]) == (0.6, 1.0)


def test_a_line_beats_faster_than_a_cuff():
    assert min(weights([*bp(120, 80, 93, at=0, channel="abp"), *bp(121, 80, 93, at=1,
                        channel="abp")])) == 1.0  # fmt: skip


def test_jump_needs_support_of_the_rr_intervals():
    alone = weights([hr(70, 0), hr(140, 1)])
    beats = [ob("rr_interval", 60 / 140, 0.9, device="ecg")]
    assert alone[1] == 0.5
    assert weights([hr(70, 0), *beats, hr(140, 1)])[2] == 1.0


def test_pulse_that_does_not_follow_the_ecg():
    readings = [
        hr(120, 0, device="ecg"),
        ob("oxygen_saturation", 0.9, 1, device="ox"),
        ob("pulse_rate", 1.0, 1, device="ox"),
    ]
    assert weights(readings)[1] == 0.5


def test_displaced_probe_steps_and_bypass_may():
    steps = [temp(37, 0), temp(33, 120)]
    assert weights(steps)[1] == 0.4
    assert weights(steps, Context(flags=frozenset({"bypass"})))[1] == 1.0


def test_cgm_rate_flat_and_first_day():
    fast = weights([cgm(100, 0), cgm(140, 5)])
    slow = weights([cgm(100, 0), cgm(125, 5)])
    assert fast[1] < WITHHOLD_BELOW
    assert slow[1] == 1.0
    flat = weights([cgm(100, m) for m in range(0, 71, 5)])
    assert flat[4] == 1.0  # 20 min
    assert WITHHOLD_BELOW < flat[5] < 1.0
    assert flat[-1] < WITHHOLD_BELOW
    young = Context(cgm_started=600 * 60 * S)
    assert weights([cgm(100, 601), cgm(101, 600 + 24 * 60)], young) == [0.7, 1.0]


def test_cgm_low_at_night_is_doubted_never_withheld_and_day_is_believed():
    night = weights([cgm(85, 120), cgm(65, 125)])
    day = weights([cgm(85, 720), cgm(65, 725)])
    assert WITHHOLD_BELOW <= night[1] < day[1] == 1.0
    # the zone moves the night
    assert weights([cgm(85, 720, zone=840), cgm(65, 725, zone=840)])[1] == night[1]


def test_a_censored_reading_may_stand_still():
    low = [cgm(39, m, censoring="below") for m in range(0, 90, 5)]
    assert min(weights(low)) == 1.0


def test_noise_grows_with_doubt_and_bias_stays_apart():
    o = ob("oxygen_saturation", 0.8, sigma=0.02, bias=0.01)
    plain, dark = start(), start(Context(monk_skin_tone=10))
    assert uncertainty(o, Verdict("", 0.5), plain) == (0.04, 0.01)
    assert uncertainty(o, Verdict("", 0.2), plain)[0] == math.inf
    sigma, bias = uncertainty(o, Verdict(), dark)
    assert sigma == 0.02
    assert bias > 0.02
    c = cgm(300, 0, sigma=0.1)
    assert uncertainty(c, Verdict(), plain)[0] == pytest.approx(27 * MG_DL)


def test_a_finding_widens_what_it_touches_and_nothing_else():
    f = Finding("levelling", "level it", 2.0, 1.5, 10 * MMHG, PRESSURES, device="m1", since=500 * S)
    state = with_findings(start(), [f])
    touched = bp(120, 80, 93)[0]
    _, v = judge(state, touched)
    assert v.weight == pytest.approx(1 / 1.5)
    assert uncertainty(touched, v, state)[1] == 10 * MMHG
    for other in (hr(70), bp(120, 80, 93, device="m2")[0], bp(120, 80, 93, at=400)[0]):
        assert judge(state, other)[1].weight == 1.0
        assert uncertainty(other, Verdict(), state)[1] == 0.0


def test_fold_is_the_same_in_any_split_at_instants_and_changes_no_state():
    readings = [x for i in range(40) for x in (hr(60 + 40 * (i % 7 == 3), i), temp(37, i))]
    readings += [cgm(100 + (i * 37) % 23, 10 + 5 * i) for i in range(20)]
    readings.sort(key=lambda o: (o.at, o.device, o.channel, o.seq))
    whole_state, whole = judge_many(start(), readings)
    for cut in (1, 7, 50):
        state, parts = start(), []
        groups = [[o for o in readings if o.at == t] for t in sorted({o.at for o in readings})]
        for i in range(0, len(groups), cut):
            before = repr(state)
            after, v = judge_many(state, [o for g in groups[i : i + cut] for o in g])
            assert repr(state) == before
            state, parts = after, parts + v
        assert parts == whole
        assert state == whole_state

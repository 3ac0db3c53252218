"""Locked predictions: a signature first, back from the log, and scored by hindsight."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from isosoma.core.errors import AccessError, RangeError
from isosoma.core.evidence import digest
from isosoma.core.observation import Observation
from isosoma.core.principal import Principal
from isosoma.organs.circulation.body import Person
from isosoma.record import open_log
from isosoma.scenario.answering import answered, as_json
from isosoma.scenario.case import Case, answer, ask, cases, decide
from isosoma.scenario.comparing import compare
from isosoma.scenario.complication_table import complications
from isosoma.scenario.ensemble import drawn
from isosoma.scenario.hindsight import score, scored, scores
from isosoma.scenario.playing import Played, played
from isosoma.scenario.prediction import (
    LEVELS,
    OUTPUTS,
    Prediction,
    band,
    begun,
    foreseen,
    locked,
    predictions,
    signed,
)
from isosoma.scenario.preferences import Tables, preferences
from isosoma.scenario.rehearsal_file import read_rehearsal

NAME = "heart_rate"
TIMES = np.array([0.0, 36000.0])
SAID = Prediction("a", "wait", 0, TIMES, {NAME: np.tile(10.0 + (LEVELS - 0.5), (2, 1))}, "e")


def read(t, value, sigma=0.5):
    return Observation("p", NAME, round(t * 1e9), 0, value, sigma)


def test_a_future_ends_where_most_members_die():
    alive = np.linspace(9.0, 11.0, 8) * np.ones((6, 1))
    dying = alive.copy()
    dying[3:, :5] = np.nan
    plan = read_rehearsal('question = "?"\nfor = "1 min"\n[[option]]\nname = "a"\n'
                          '[[option]]\nname = "b"\n')  # fmt: skip
    outputs = tuple(dict.fromkeys(OUTPUTS, rows) for rows in (alive, dying))
    none = (np.zeros(8, bool),) * 2
    said = foreseen(Played(plan, drawn(Person(), 8), 10.0 * np.arange(6), {}, outputs, none, ()))
    assert [len(o[NAME]) for o in said.options.values()] == [6, 3]


def told_of(log):
    return cases(log.entries("p1"))["a"]


def test_a_prediction_is_locked_by_a_signature_and_comes_back_from_the_log(tmp_path):
    plan = read_rehearsal(
        'question = "?"\nfor = "1 min"\n[[option]]\nname = "wait"\n'
        '[[option]]\nname = "bleed"\ndo = ["bleed 1 L in 1 min at 10 s"]\n'
    )
    tables = Tables(complications(), preferences())
    whole = played(plan, drawn(Person(), 8))
    told = compare(whole, tables)
    made, futures = answered(whole, told, tables, 5), foreseen(whole)
    surgeon = Principal("s1", "clinician", "A. Surgeon", "cardiac surgeon")
    with open_log(tmp_path / "a.log") as log:
        log.append("p1", [ask(Case("a", plan))]).result()
        log.append("p1", answer(told_of(log), made, as_json(told))).result()
        with pytest.raises(AccessError, match="locked by a signature"):
            signed(told_of(log), futures, "wait", 5)
        for step in ("reviewed", "signed"):
            log.append("p1", [decide(told_of(log), step, surgeon)], by=surgeon).result()
        case = told_of(log)
        one = signed(case, futures, "bleed", 5)
        with pytest.raises(RangeError, match="no option"):
            signed(case, futures, "wish", 5)
        with pytest.raises(AccessError, match="not what was signed"):
            signed(case, replace(futures, members="prior.1"), "bleed", 5)
        log.append("p1", [locked(one)]).result()
        log.append("p1", [locked(replace(one, option="wait"))]).result()
        assert not predictions(log.entries("p1"))["a"].begun
        log.append("p1", [begun(one, 7), begun(one, 9)]).result()
        back = predictions(log.entries("p1"))["a"]
        log.append("p1", [scored(back, score(back, [read(5.0, 1.2)]))]).result()
        kept = scores(log.entries("p1"))["a"][NAME]
    with pytest.raises(AccessError, match="begun already"):
        begun(back, 11)
    assert kept.readings == 1
    assert case.evidence is not None
    assert (back.option, back.at, back.evidence) == ("bleed", 7, digest(case.evidence))
    assert all(np.array_equal(back.values[n], v) for n, v in one.values.items())
    rows = [band(back, "mean_arterial_pressure", t) for t in (5.0, 55.0)]
    assert rows[1].median < rows[0].median
    assert all(r.low < r.median < r.high for r in rows)
    with pytest.raises(RangeError, match="outside"):
        band(back, "mean_arterial_pressure", 61.0)


def test_hindsight_of_a_true_prediction_covers_what_it_says_and_is_kept_as_a_decision():
    rng = np.random.Generator(np.random.Philox(4))
    truth = rng.uniform(9.5, 10.5, 2000)
    scores = score(SAID, [read(float(i), v, 1e-6) for i, v in enumerate(truth)])
    assert scores[NAME].inside_50 == pytest.approx(0.5, abs=0.04)
    assert scores[NAME].inside_90 == pytest.approx(0.9, abs=0.03)
    assert scores[NAME].crps == pytest.approx(1.0 / 6.0, rel=0.05)
    worse = score(SAID, [read(float(i), v + 1.0, 1e-6) for i, v in enumerate(truth)])
    assert worse[NAME].crps > 3.0 * scores[NAME].crps
    draft = scored(SAID, scores)
    assert not isinstance(draft.payload, bytes)
    assert draft.kind == "decision"
    assert (draft.payload["event"], draft.payload["evidence"]) == ("scored", "e")
    with pytest.raises(RangeError, match="no reading"):
        score(SAID, [])

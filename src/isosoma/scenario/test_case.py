"""From a question to a signature: what the evidence holds, who may do what, and what goes stale."""

from __future__ import annotations

import json
from dataclasses import replace
from hashlib import sha256
from types import SimpleNamespace

import numpy as np
import pytest

from isosoma.core.errors import AccessError, InputError, IsosomaError
from isosoma.core.evidence import canonical, digest
from isosoma.core.principal import Principal
from isosoma.infer.emulator import Emulator
from isosoma.organs.circulation.body import Person
from isosoma.record import open_log
from isosoma.scenario.answering import SERVICE, answered, as_json, decisive, edited
from isosoma.scenario.applicability import applicability, would_help
from isosoma.scenario.case import Case, Estimate, answer, ask, cases, decide, estimate
from isosoma.scenario.comparing import compare
from isosoma.scenario.complication_table import complications
from isosoma.scenario.ensemble import drawn, first_of
from isosoma.scenario.evidence_json import evidence_of
from isosoma.scenario.playing import played
from isosoma.scenario.preferences import Tables, preferences
from isosoma.scenario.rehearsal import digest as digest_of
from isosoma.scenario.rehearsal import rename
from isosoma.scenario.rehearsal_file import read_rehearsal

PLAN = read_rehearsal("""
question = "Bleed or not?"
for = "3 min"
[[option]]
name = "wait"
[[option]]
name = "bleed"
do = ["bleed 1.5 L in 1 min at 10 s"]
""")
TABLES = Tables(complications(), preferences())
SURGEON = Principal("s1", "clinician", "A. Surgeon", "cardiac surgeon")
NOW = 1_790_000_000_000_000_000


@pytest.fixture(scope="module")
def seen():
    return played(PLAN, drawn(Person(), 64))


@pytest.fixture(scope="module")
def made(seen):
    comparison = compare(seen, TABLES)
    return answered(seen, comparison, TABLES, NOW), as_json(comparison)


def test_evidence_holds_the_question_numbers_verdict_sources_and_provenance(made):
    evidence, comparison = made
    assert evidence.status == "computed"
    assert evidence.by == SERVICE
    assert evidence.question == "Bleed or not?"
    assert evidence.applicability.verdict == "edge"
    assert any("no data of this patient" in r for r in evidence.applicability.reasons)
    bleed = evidence.options[1]
    low = next(c for c in bleed.complications if c.name == "low output")
    assert low.low < low.chance <= low.high
    assert {q.when for q in bleed.quantities} == {"end", "lowest", "highest"}
    assert all(len(q.samples) == 64 for q in bleed.quantities)
    assert any(c.doi == "10.1016/j.jacc.2021.02.038" for c in evidence.citations)
    assert not all(c.verified for c in evidence.citations)
    inputs = evidence.provenance.inputs
    assert inputs["rehearsal"] == digest_of(PLAN)
    assert set(inputs) == {"rehearsal", "complications", "preferences", "comparison", "members"}
    assert json.loads(comparison)["members"] == 64


def test_evidence_comes_back_from_json_with_the_same_digest(made):
    again = evidence_of(json.loads(canonical(made[0])))
    assert again == made[0]
    assert digest(again) == digest(made[0])
    with pytest.raises(InputError, match="lacks or misspells"):
        evidence_of({"question": "q"})


def test_the_measurement_that_would_help_most_is_that_of_the_unknown_on_which_it_hangs(seen):
    names = seen.ensemble.names
    z = seen.ensemble.z
    heart = z[:, names.index("lv_elastance")] + 0.1 * z[:, names.index("period")]
    helps = would_help(seen, heart)
    assert helps[0].startswith("lv elastance not informed: get an echo")
    assert would_help(seen, np.zeros(64)) == ()
    assert "lv elastance not informed, on which the choice hangs" in (
        applicability(seen, heart).reasons
    )


def test_numbers_are_withheld_where_too_many_members_were_lost(seen):
    lost = np.zeros(64, np.bool_)
    lost[:20] = True
    broken = replace(seen, failed=(lost, seen.failed[1]))
    comparison = compare(broken, TABLES)
    evidence = answered(broken, comparison, TABLES, NOW)
    assert evidence.applicability.verdict == "out"
    assert "the model lost 31 % of the members" in evidence.applicability.reasons
    assert all(not o.quantities and not o.complications for o in evidence.options)
    assert np.isnan(decisive(broken, comparison, TABLES)).sum() == 20


def test_a_few_lost_members_are_read_with_care(seen):
    lost = np.zeros(64, np.bool_)
    lost[:3] = True
    verdict = applicability(seen, np.where(lost, np.nan, 0.0))
    assert verdict.verdict == "edge"
    assert any("lost 5 % of the members; they count nowhere" in r for r in verdict.reasons)


def test_members_outside_of_what_an_emulator_knows_are_told(seen):
    n = seen.ensemble.z.shape[1]
    none = np.zeros(0, np.int64)
    wide = Emulator(none, none, np.zeros((1, 1)), np.zeros(n), np.eye(n), 1e3, np.zeros(1),
                    np.zeros(1))  # fmt: skip
    blind = SimpleNamespace(informed=(), stale=lambda at: {"heart_rate": 600.0}, misfit=(5.0,))
    told = applicability(seen, np.zeros(64), blind, NOW, wide).reasons
    assert told == ("the newest heart rate is 10 min old",
                    "model and data agree poorly: misfit 5.0, 1 where they do")  # fmt: skip
    narrow = replace(wide, limit=0.1)
    assert "100 % of the members lie outside what the emulator was trained on" in (
        applicability(seen, np.zeros(64), blind, NOW, narrow).reasons
    )
    blind.misfit = (20.0,)
    assert applicability(seen, np.zeros(64), blind, NOW).verdict == "out"


def test_an_edit_is_told_and_a_basis_is_under_the_digest(made, seen):
    evidence = made[0]
    assert edited(evidence, digest_of(PLAN)) == ""
    assert "play it again" in edited(evidence, digest_of(rename(PLAN, "wait", "watch")))
    based = answered(seen, compare(seen, TABLES), TABLES, NOW, basis="{}")
    assert based.provenance.inputs["basis"] == sha256(b"{}").hexdigest()
    assert digest(based) != digest(evidence)


def _folded(log) -> Case:
    return cases(log.entries("p1", ["decision"]))["c1"]


def test_a_case_goes_from_question_to_signature_in_the_log(tmp_path, made):
    evidence, comparison = made
    with open_log(tmp_path / "ward.log") as log:

        def keep(*drafts, by=None):
            log.append("p1", list(drafts), by=by).result()
            return _folded(log)

        case = keep(ask(Case("c1", PLAN)))
        assert case.rehearsal == PLAN
        with pytest.raises(AccessError, match="no answer to decide on"):
            decide(case, "reviewed", SURGEON)
        case = keep(estimate(case, Estimate(SURGEON, "wait", "blood is short")))
        assert case.estimates == (Estimate(SURGEON, "wait", "blood is short"),)
        case = keep(*answer(case, evidence, comparison, '{"at": 1}'))
        assert case.evidence == evidence
        assert (case.comparison, case.basis) == (comparison, '{"at": 1}')
        with pytest.raises(AccessError, match="would not be one's own"):
            estimate(case, Estimate(SURGEON, "bleed"))
        for nobody in (SERVICE, Principal("x", "clinician"), Principal("p", "patient", "P.")):
            with pytest.raises(AccessError):
                decide(case, "reviewed", nobody)
        with pytest.raises(AccessError, match="cannot become signed"):
            decide(case, "signed", SURGEON)
        case = keep(decide(case, "reviewed", SURGEON))
        case = keep(decide(case, "signed", SURGEON))
        assert case.evidence is not None
        assert (case.evidence.status, case.evidence.by) == ("signed", SURGEON)
        with pytest.raises(AccessError):
            decide(case, "rejected", SURGEON, "changed my mind")
        signed = digest(case.evidence)
        case = keep(*answer(case, evidence, comparison))
        assert case.basis == "", "another answer rests on what it rests on"
        assert case.earlier[0].status == "superseded"
        assert case.earlier[0].by == SURGEON, "who signed it stays written on it"
        assert digest(replace(case.earlier[0], status="signed")) == signed


def test_a_rejection_gives_its_reason(made):
    case = Case("c1", PLAN, evidence=made[0])
    with pytest.raises(AccessError, match="gives its reason"):
        decide(case, "rejected", SURGEON)
    rejected = decide(case, "rejected", SURGEON, "too late").payload
    assert not isinstance(rejected, bytes)
    assert "too late" in rejected["reason"]


def test_only_a_fresh_answer_is_one_and_a_guess_names_an_option(made):
    with pytest.raises(AccessError, match="is no new answer"):
        answer(Case("c1", PLAN), replace(made[0], status="draft", by=None), "{}")
    with pytest.raises(IsosomaError, match="no option is called"):
        estimate(Case("c1", PLAN), Estimate(SURGEON, "pray"))


def test_what_is_no_step_of_a_case_is_told(tmp_path, made):
    from isosoma.record import Draft

    with open_log(tmp_path / "a.log") as log:
        log.append("p1", [Draft("decision", {"about": "lunch", "id": "c1"})]).result()
        assert cases(log.entries("p1")) == {}
        said = {"about": "rehearsal", "id": "c1", "event": "estimated"}
        log.append("p1", [Draft("decision", said)]).result()
        with pytest.raises(InputError, match="before anything was asked"):
            cases(log.entries("p1"))


def test_fewer_members_are_the_first_ones(seen):
    assert first_of(seen.ensemble, 8).members == 8
    for bad in (1, 5000):
        with pytest.raises(InputError, match="outside 2 to 4096"):
            drawn(Person(), bad)

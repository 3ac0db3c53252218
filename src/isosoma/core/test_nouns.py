from __future__ import annotations

import json
import math
import pickle

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from isosoma.core import errors
from isosoma.core.errors import (
    AccessError,
    FormatError,
    IsosomaError,
    ModelError,
    RangeError,
    VocabularyError,
)
from isosoma.core.evidence import (
    Applicability,
    Complication,
    Evidence,
    Option,
    Provenance,
    Quantity,
    digest,
    move,
    withheld,
)
from isosoma.core.intervention import Change, Coding, Intervention, apply, from_json, to_json, undo
from isosoma.core.model import Parameter, Source, prior_mean
from isosoma.core.observation import GOOD, Verdict, Waveform, combine, effective_sigma
from isosoma.core.principal import Principal, require_signer
from isosoma.core.prior import Fixed, LogitNormal, LogNormal, Normal
from isosoma.core.quantity import show, show_duration, show_interval
from isosoma.core.units import convert, ucum
from isosoma.core.vocabulary import VOCABULARY, by_loinc, by_mdc, check_possible, si, variable


def test_errors_are_drawn_in_their_docstring():
    names = {n for n in errors.__all__ if issubclass(getattr(errors, n), IsosomaError)}
    drawn = {word for word in (errors.__doc__ or "").split() if word.endswith("Error")}
    assert names == drawn


def test_an_error_is_one_sentence_and_survives_pickling():
    error = FormatError("the header is cut off", "100.hea", "Copy the file again")
    assert str(error) == "100.hea: the header is cut off. Copy the file again"
    assert str(pickle.loads(pickle.dumps(error))) == str(error)
    assert str(error.at("folder")).startswith("folder: 100.hea:")
    assert isinstance(error.at("folder"), FormatError)


@pytest.mark.parametrize("row", VOCABULARY.values(), ids=lambda r: r.name)
def test_vocabulary_rows(row):
    assert row.low < row.high
    assert row.meaning.endswith(".")
    assert row.unit == "1" or ucum(row.unit).factor == 1.0, "inside is SI"
    back = convert(row.low, row.unit, row.shown, row.molar_mass or None)
    assert si(row, back, row.shown) == pytest.approx(row.low, abs=1e-9)


def test_vocabulary_codes_are_unique():
    rows = VOCABULARY.values()
    codes = [c for r in rows for c in (r.loinc, *r.also) if c]
    assert len(codes) == len(set(codes))
    assert by_loinc("8867-4") is variable("heart_rate")
    assert by_mdc(150456) is variable("oxygen_saturation")
    with pytest.raises(VocabularyError, match="nonsense"):
        variable("nonsense")


def test_possible_is_not_healthy():
    rate = variable("heart_rate")
    assert check_possible(rate, 0.0) == 0.0
    for value in (-0.1, math.nan, math.inf, 700 / 60):
        with pytest.raises(RangeError, match="not possible"):
            check_possible(rate, value)


def test_glucose_goes_through_its_molar_mass():
    assert si(variable("glucose"), 90.0, "mg/dL") == pytest.approx(4.9956, abs=1e-4)
    assert si(variable("glucose"), 5.0, "mmol/L") == 5.0


@pytest.mark.parametrize(
    ("name", "value", "sigma", "text"),
    [
        ("systolic_pressure", 15732.0, 666.6, "118.0 ± 5.0 mmHg"),
        ("systolic_pressure", 15732.0, math.nan, "118 mmHg"),
        ("heart_rate", 1.2, 0.035, "72.0 ± 2.1 /min"),
        ("body_temperature", 310.27, math.nan, "37.1 °C"),
        ("body_temperature", 310.27, 0.15, "37.12 ± 0.15 °C"),
        ("oxygen_saturation", 0.97, 0.0, "97 %"),
        ("glucose", 5.0, 0.5, "90.1 ± 9.0 mg/dL"),
        ("heart_rate", math.nan, 1.0, "— /min"),
        ("central_venous_pressure", -266.6, math.nan, "−2 mmHg"),
        ("central_venous_pressure", -1e-9, math.nan, "0 mmHg"),
    ],
)
def test_show(name, value, sigma, text):
    assert show(variable(name), value, sigma) == text


def test_show_interval_and_age():
    row = variable("systolic_pressure")
    assert show_interval(row, 14532.0, 16932.0, 0.9) == "109.0–127.0 mmHg (90 %)"
    assert show_interval(row, math.nan, 1.0, 0.9) == "— mmHg"
    assert [show_duration(s) for s in (0.25, 45, 600, 7300, 4e5, math.inf)] == [
        "250 ms", "45 s", "10 min", "2 h", "5 d", "—",
    ]  # fmt: skip


@given(st.floats(-1e6, 1e6), st.floats(1e-6, 1e6))
def test_shown_sigma_has_two_figures(value, sigma):
    row = variable("arterial_pressure")
    text = show(row, value * 133.322387415, sigma * 133.322387415)
    number = text.split("± ")[1].split()[0]
    assert abs(float(number) - sigma) <= 0.051 * sigma + 0.5
    if sigma < 9.9:
        assert len(number.replace(".", "").lstrip("0")) == 2


@pytest.mark.parametrize(
    "prior",
    [Normal(3.0, 2.0), LogNormal(1e8, 0.25), LogitNormal(0.0, 1.0, 0.05, 0.6),
     LogitNormal(-3.0, 7.0, 1.0, 1.0)],
)  # fmt: skip
def test_priors_invert_and_stay_inside(prior):
    z = np.linspace(-5, 5, 101)
    x = prior.real(z)
    low, high = prior.support
    assert np.all((x >= low) & (x <= high))
    assert np.all(np.diff(x) > 0)
    np.testing.assert_allclose(prior.z(x), z, atol=1e-9)
    np.testing.assert_allclose(prior.scaled(1000.0).real(z), 1000.0 * x, rtol=1e-12)


def test_priors_refuse_nonsense():
    for build in (
        lambda: Normal(0, 0),
        lambda: LogNormal(-1, 1),
        lambda: LogNormal(1, math.inf),
        lambda: LogitNormal(0, 1, 2, 1),
    ):
        with pytest.raises(ModelError):
            build()


def test_prior_mean():
    source = Source("a table")
    pair = (Parameter("a", "Pa", Fixed(2.0), source), Parameter("b", "1", Normal(1, 1), source))
    assert {k: v.tolist() for k, v in prior_mean(pair, 2).items()} == {"a": [2, 2], "b": [1, 1]}
    with pytest.raises(ModelError, match="share a name"):
        prior_mean((pair[0], pair[0]))


def test_verdicts_combine_and_widen():
    bad, poor = Verdict("cuff loose", 0.2), Verdict("movement", 0.5)
    both = combine([GOOD, poor, bad, poor])
    assert both == Verdict("cuff loose; movement", 0.2)
    assert effective_sigma(4.0, poor) == 8.0
    assert effective_sigma(4.0, both) == math.inf
    assert combine([]) == GOOD
    with pytest.raises(ValueError, match="weight"):
        Verdict("", 1.5)


def test_waveform_values():
    wave = Waveform("p", "ecg", 0, 0, 250.0, np.array([0, 10, -10], np.int16), 1e-6, 10,
                    missing=((1, 2),))  # fmt: skip
    np.testing.assert_allclose(wave.values(), [-1e-5, np.nan, -2e-5])


def _acts() -> tuple[Intervention, ...]:
    code = Coding("http://snomed.info/sct", "44491008", "Fluoroscopy")
    return (
        Intervention("double", code, 60.0, "surgeon", (Change("parameter", "r", "scale", 2.0),)),
        Intervention("add one", code, 30.0, "surgeon", (Change("parameter", "r", "add", 1.0),)),
        Intervention("input", code, 10.0, "surgeon", (Change("input", "flow", "set", 0.0),)),
    )  # fmt: skip


def test_interventions_apply_in_time_undo_and_travel():
    acts = _acts()
    r = {"r": np.array([1.0, 2.0])}
    assert apply(acts, "parameter", r)["r"].tolist() == [4.0, 6.0]
    assert apply(acts, "parameter", r, until=40.0)["r"].tolist() == [2.0, 3.0]
    assert r["r"].tolist() == [1.0, 2.0]
    assert apply(undo(acts, 0), "parameter", r)["r"].tolist() == [2.0, 3.0]
    assert from_json(to_json(acts)) == acts
    with pytest.raises(ModelError, match="flow"):
        apply(acts, "input", r)


@pytest.mark.parametrize(
    "text",
    ["", "{}", "[1]", '[{"name": "x"}]', "[" * 100000, '[{"name":"x","coding":{"a":1}}]',
     json.dumps([{"name": "x", "coding": {"system": "", "code": "", "display": ""}, "at": "soon",
                  "role": "", "changes": []}]),
     json.dumps([{"name": "x", "coding": {"system": "", "code": "", "display": ""}, "at": 1,
                  "role": "", "changes": [{"target": "weather", "name": "x"}]}])],
)  # fmt: skip
def test_rehearsals_that_are_none(text):
    with pytest.raises(FormatError):
        from_json(text)


_SURGEON = Principal("u1", "clinician", "A. Name", "cardiac surgeon")


def _evidence(verdict="in") -> Evidence:
    q = Quantity("mean_arterial_pressure", 8e3, 9e3, 1e4, 0.9)
    c = Complication("hypotension", 0.1, 0.2, 0.3, 0.9)
    numbers = verdict != "out"
    return Evidence(
        "Which valve?",
        (Option("23 mm", (q,) if numbers else (), (c,) if numbers else ()),),
        ("no leak",),
        Applicability(verdict, () if verdict == "in" else ("outside the hull",), ("echo",)),
        (Source("a paper"),),
        Provenance("0.1.0", 7),
    )


def test_evidence_is_signed_by_a_named_clinician_only():
    computed = move(_evidence(), "computed", Principal("s", "service"))
    with pytest.raises(AccessError, match="cannot become signed"):
        move(computed, "signed", _SURGEON)
    reviewed = move(computed, "reviewed", _SURGEON)
    for who in (Principal("s", "service", "Robot"), Principal("u2", "clinician")):
        with pytest.raises(AccessError, match="may not sign"):
            move(reviewed, "signed", who)
    signed = move(reviewed, "signed", _SURGEON)
    assert signed.by == _SURGEON
    assert digest(signed) != digest(reviewed)
    with pytest.raises(AccessError):
        move(signed, "rejected", _SURGEON, "too late")
    with pytest.raises(AccessError, match="reason"):
        move(reviewed, "rejected", _SURGEON)
    assert require_signer(_SURGEON) is _SURGEON


def test_out_of_domain_withholds_numbers():
    out = _evidence("out")
    assert withheld(out)
    reviewed = move(move(out, "computed", _SURGEON), "reviewed", _SURGEON)
    with pytest.raises(AccessError, match="withheld"):
        move(reviewed, "signed", _SURGEON)
    with pytest.raises(ModelError, match="withheld"):
        Evidence(out.question, _evidence().options, (), out.applicability, (), out.provenance)
    with pytest.raises(ModelError, match="says why"):
        Applicability("edge")
    with pytest.raises(ModelError):
        Quantity("x", 1.0, 0.0, 2.0, 0.9)
    with pytest.raises(ModelError):
        Quantity("x", 0.0, 1.0, math.inf, 0.9)
    with pytest.raises(ModelError):
        Complication("x", 0.1, 0.2, 1.3, 0.9)

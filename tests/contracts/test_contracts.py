"""Every model is held to every contract; every contract is shown a fault it must catch."""

from __future__ import annotations

import importlib
import pkgutil
import tomllib
from pathlib import Path

import numpy as np
import pytest

import isosoma
from isosoma.core.model import Model
from tests.contracts.contracts import CONTRACTS
from tests.contracts.windkessel import FAULTS, Windkessel


def _models() -> list[Model]:
    """Find the models of every organ: a module that offers any lists them in `MODELS`."""
    found: list[Model] = [Windkessel()]
    for info in pkgutil.walk_packages(isosoma.__path__, "isosoma."):
        if info.name.startswith("isosoma.organs.") and ".test_" not in info.name:
            found += getattr(importlib.import_module(info.name), "MODELS", ())
    return found


@pytest.mark.parametrize("model", _models(), ids=lambda m: m.name)
@pytest.mark.parametrize("contract", CONTRACTS, ids=lambda c: c.__name__)
def test_model_keeps_contract(contract, model):
    contract(model)


@pytest.mark.parametrize("contract", CONTRACTS, ids=lambda c: c.__name__)
def test_contract_catches_its_planted_fault(contract):
    with pytest.raises(AssertionError):
        contract(FAULTS[contract.__name__])


def test_every_fault_has_a_contract():
    assert {c.__name__ for c in CONTRACTS} == set(FAULTS)


def test_windkessel_is_a_model_and_gives_its_case():
    model = Windkessel()
    assert isinstance(model, Model)
    path = Path(__file__).resolve().parents[2] / "cases" / model.cases[0]
    case = tomllib.loads(path.read_text(encoding="utf-8"))
    theta = {k: np.array([v]) for k, v in case["theta"].items()}
    inputs = {k: np.array([v]) for k, v in case["inputs"].items()}
    ticks = round(case["seconds"] / model.step)
    out = model.advance(0, ticks, model.start(theta), theta, inputs)
    expected = case["expected"]["mean_arterial_pressure"]
    assert out.outputs["mean_arterial_pressure"][0] == pytest.approx(
        expected, rel=case["tolerance"]
    )

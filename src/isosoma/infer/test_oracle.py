"""ES-MDA and ETKF are those that others published, member by member.

Oracles, run by `python3 dev.py bench oracle` into tests/data/infer_oracle.json: Equinor's
iterative_ensemble_smoother for ES-MDA (Emerick & Reynolds 2013, doi:10.1016/j.cageo.2012.03.011),
dapper's symmetric square root for the ETKF (Sakov & Oke 2008). Versions are in the file, and are
those of requirements/peers.txt.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from isosoma.infer import etkf
from isosoma.infer.esmda import calibrate

ROOT = Path(__file__).resolve().parents[3]
ORACLE = json.loads((ROOT / "tests" / "data" / "infer_oracle.json").read_text("utf-8"))
CASES = [pytest.param(case, id=case["name"].replace(" ", "-")) for case in ORACLE["cases"]]
CLOSE = 1e-9
"""Of members of order 1; measured 6e-14 at most."""
PATIENTS = range(1000, 1400)


def forward(case, z):
    u = z @ np.array(case["H"]).T
    return u + case["bend"] * u**3


def smoothed(case, patient=None, noise=1.0):
    z, y, R = (np.array(case[name]) for name in ("z", "y", "R"))
    key = case["patient"] if patient is None else patient
    return calibrate(z, lambda m: forward(case, m), y, noise * R, key, case["alphas"]).z


def transformed(case, noise=1.0):
    z, y, R = (np.array(case[name]) for name in ("z", "y", "R"))
    return etkf.update(z, forward(case, z), y, noise * R)


def test_the_oracles_are_those_of_the_lock():
    locked = (ROOT / "requirements" / "peers.txt").read_text("utf-8").splitlines()
    for name, version in ORACLE["versions"].items():
        assert f"{name}=={version} \\" in locked, "renew: python3 dev.py bench oracle --write"


@pytest.mark.parametrize("case", CASES)
def test_esmda_gives_the_published_members(case):
    np.testing.assert_allclose(smoothed(case), case["smoothed"], rtol=0.0, atol=CLOSE)


@pytest.mark.parametrize("case", CASES)
def test_etkf_gives_the_published_members(case):
    np.testing.assert_allclose(transformed(case), case["transformed"], rtol=0.0, atol=CLOSE)


@pytest.mark.parametrize("case", CASES)
def test_a_thousandth_more_noise_would_be_seen(case):
    """Else agreement would say nothing."""
    for ours, name in ((smoothed, "smoothed"), (transformed, "transformed")):
        assert np.abs(ours(case, noise=1.001) - case[name]).max() > 1e4 * CLOSE


@pytest.mark.parametrize("case", CASES)
def test_other_perturbations_give_the_same_distribution(case):
    """The oracle's own draws are not centred, ours are: means and variances agree on average."""
    runs = [smoothed(case, patient) for patient in PATIENTS]
    rows = np.array([[*z.mean(axis=0), *z.var(axis=0, ddof=1)] for z in runs])
    error = np.hypot(rows.std(axis=0, ddof=1) / np.sqrt(len(rows)), case["own_draws"]["error"])
    z = (rows.mean(axis=0) - case["own_draws"]["mean"]) / error
    assert np.abs(z).max() < 4.0

"""The 28-state reference set against its published responses, all cases as lanes of one run."""

from __future__ import annotations

import csv
import json
from functools import lru_cache
from pathlib import Path

import numpy as np
import pytest

from isosoma.core.errors import ModelError
from isosoma.core.units import convert, to_si
from isosoma.organs.circulation.published import run_case
from isosoma.organs.circulation.reference28 import (
    PRINTED,
    SHUNTS,
    START,
    STEP,
    graph28,
    program28,
    start28,
)
from isosoma.physics.ensemble import run
from isosoma.physics.network import states_of

KEPT = (
    "V_lv", "V_rv", "p_ao", "p_la", "p_ra", "p_pa", "p_lv", "p_rv", "p_sv", "phi",
    "q_valve_mv", "q_valve_av", "q_valve_pv",
)  # fmt: skip
WINDOW = 2.5
"""Seconds kept: two beats of the slowest."""
TOLERANCE = 5e-3
LOOSER = {
    # A mean over the samples of ejection, every 2 ms in the reference: one sample more or less near
    # closure moves it, most where flow and gradient are small.
    "AV_mean_gradient": 1.5e-2,
}
NOT_REACHED = {
    # 1.1 % and 0.8 % off. Ours is HR (SV - leak), which the first row's own numbers put at 5.04.
    ("aortic_regurgitation_EROA_0.3", "CO"): 1.2e-2,
    ("mitral_regurgitation_EROA_0.1", "CO"): 1.2e-2,
}
LEAST = {"MR_volume": 0.03, "AR_volume": 0.03}
"""What is too little to be told apart [mL]: a valve shuts with a puff of this size."""
SETTLED, SETTLED_SHUNT = 150.0, 200.0

CASES: dict[str, dict[str, float]] = {
    "baseline": {},
    **{f"aortic_stenosis_AVA_{a}": {"A_av": a} for a in (2.0, 1.5, 1.0, 0.8, 0.6)},
    **{f"mitral_regurgitation_EROA_{a}": {"rg_mv": a} for a in (0.1, 0.2, 0.3, 0.4)},
    **{f"aortic_regurgitation_EROA_{a}": {"rg_av": a} for a in (0.1, 0.3)},
    **{f"acute_blood_loss_{v}_no_refill": {"V_sv": 2480.0 - v} for v in (500, 1000, 1500)},
    "acute_blood_loss_1000_no_reflex": {
        "V_sv": 1480.0, "tE": 1e9, "tR": 1e9, "tVu": 1e9, "tTs": 1e9, "tTv": 1e9,
    },
    "vasoconstriction": {"Rs0": 0.84, "Vu0": 2250.0},
    "hypnotic_like": {"Rs0": 0.25, "Elv0": 1.68, "Vu0": 2500.0},
    **{f"VSD_{a}": {"A_vsd": a} for a in (0.1, 0.3, 0.5, 1.0)},
    **{f"ASD_{a}": {"A_asd": a} for a in (0.5, 1.5, 3.0)},
    **{f"PDA_{a}": {"A_pda": a} for a in (0.05, 0.15)},
}  # fmt: skip
NAMES = list(CASES)
STEEP = {"acute_blood_loss_1000_no_refill": "circulation_bleed_1000.toml",
         "acute_blood_loss_1500_no_refill": "circulation_bleed_1500.toml"}  # fmt: skip
"""Rows that the reference calls too steep, and the full model's case of the same loss."""


@lru_cache(maxsize=1)
def simulated() -> tuple[dict[str, dict[str, np.ndarray]], float]:
    """Return the last beat of every case, each of shape (ticks,), and the drift of volume."""
    program = program28(tuple(SHUNTS), KEPT)
    values = start28(program, list(CASES.values()))
    values["window"][:] = WINDOW
    rings = [np.zeros((len(CASES), round(WINDOW / STEP))) for _ in KEPT]
    volumes = [n for n in states_of(graph28(tuple(SHUNTS))) if n.startswith("V_")]
    before = sum(values[n] for n in volumes)
    ends = (round(SETTLED / STEP), round(SETTLED_SHUNT / STEP))
    first, kept_first = run(program, 0, ends[0], STEP, values, rings)
    second, kept_second = run(program, ends[0], ends[1], STEP, first, kept_first)
    drift = max(
        float(np.max(np.abs(sum(v[n] for n in volumes) / before - 1))) for v in (first, second)
    )
    beats = dict[str, dict[str, np.ndarray]]()
    for i, name in enumerate(NAMES):
        late = any(f"A_{s}" in CASES[name] for s in SHUNTS)
        kept, end = (kept_second, ends[1]) if late else (kept_first, ends[0])
        waves = {k: np.roll(r[i], -(end % r.shape[1])) for k, r in zip(KEPT, kept, strict=True)}
        beats[name] = last_beat(waves)
    return beats, drift


def last_beat(waves: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Return what lies between the last two wraps of the phase.

    As in the reference, pressures of the aorta and the pulmonary artery are those at the end of a
    step, as its volumes and flows are; the kernel keeps pressures at its beginning.
    """
    waves = waves | {k: np.roll(waves[k], -1) for k in ("p_ao", "p_pa")}
    wraps = np.flatnonzero(np.diff(waves["phi"]) < 0) + 1
    return {k: w[wraps[-2] : wraps[-1]] for k, w in waves.items()}


def indices(beat: dict[str, np.ndarray]) -> dict[str, float]:
    """Return the indices of one beat in clinical units, by the names of the reference."""
    mmhg = {k: convert(1.0, "Pa", "mm[Hg]") * beat[k] for k in beat if k.startswith("p_")}
    ml = {k: 1e6 * beat[k] for k in beat if k[:2] in {"V_", "q_"}}
    seconds = len(beat["phi"]) * STEP
    gradient = mmhg["p_lv"] - mmhg["p_ao"]
    ejected = 1e6 * beat["q_valve_av"][::2] > 5.0
    flows = {k: ml[f"q_valve_{k}"] for k in ("mv", "av", "pv")}
    ratio = flows["pv"].mean() / flows["av"].mean()
    edv, esv = ml["V_lv"].max(), ml["V_lv"].min()
    ao, pa = mmhg["p_ao"], mmhg["p_pa"]
    return {
        "HR": 60.0 / seconds, "EDV": edv, "ESV": esv, "SV": edv - esv,
        "EF": 100.0 * (edv - esv) / edv, "CO": 0.06 * flows["av"].mean(),
        "RVEDV": ml["V_rv"].max(), "RVESV": ml["V_rv"].min(),
        "SBP": ao.max(), "DBP": ao.min(), "MAP": ao.mean(),
        "LAP": mmhg["p_la"].mean(), "RAP": mmhg["p_ra"].mean(),
        "sPAP": pa.max(), "dPAP": pa.min(), "mPAP": pa.mean(),
        "LVSP": mmhg["p_lv"].max(), "RVSP": mmhg["p_rv"].max(),
        "qmvmax": flows["mv"].max(), "qavmax": flows["av"].max(),
        "AV_mean_gradient": gradient[::2][ejected].mean(), "AV_peak_gradient": gradient.max(),
        "MR_volume": -STEP * np.minimum(flows["mv"], 0.0).sum(),
        "AR_volume": -STEP * np.minimum(flows["av"], 0.0).sum(),
        "QpQs": max(ratio, 1.0 / ratio),  # a duct takes blood behind the aortic valve
    }  # fmt: skip


@pytest.fixture(scope="module")
def expected(shared_data: Path) -> dict[str, dict[str, float]]:
    """Published responses by case."""
    path = shared_data / "circulation" / "expected" / "reference28_responses.csv"
    with path.open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    words = {"case", "change", "simulated_s"}
    return {r["case"]: {k: float(v) for k, v in r.items() if k not in words and v} for r in rows}


def test_the_cases_are_those_published(expected):
    assert set(expected) == set(CASES)


def allowed(case: str, name: str, number: float) -> float:
    share = NOT_REACHED.get((case, name), LOOSER.get(name, TOLERANCE))
    return max(share * abs(number), LEAST.get(name, 5e-4))


@pytest.mark.parametrize("case", CASES)
def test_a_response_is_reached(expected, case):
    ours = indices(simulated()[0][case])
    missed = {
        name: (ours[name], number)
        for name, number in expected[case].items()
        if abs(ours[name] - number) > allowed(case, name, number)
    }
    assert missed == {}


def test_an_output_is_rate_times_forward_stroke():
    """What the reference's own rows should obey, ours do."""
    for case in ("baseline", "aortic_regurgitation_EROA_0.1", "aortic_regurgitation_EROA_0.3"):
        ours = indices(simulated()[0][case])
        forward = 1e-3 * ours["HR"] * (ours["SV"] - ours["AR_volume"])
        assert ours["CO"] == pytest.approx(forward, rel=2e-3)


def test_a_beat_is_the_published_beat(shared_data):
    path = shared_data / "circulation" / "expected" / "reference28_baseline_beat.csv"
    with path.open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    theirs = {k: np.array([float(r[k]) for r in rows]) for k in rows[0]}
    ours = simulated()[0]["baseline"]
    names = {"q_av_mL_per_s": "q_valve_av", "q_mv_mL_per_s": "q_valve_mv"}
    for column in set(theirs) - {"t_s", "phase"}:
        name, _, unit = column.rpartition("_")
        wave = ours[names.get(column, name)] * (1 / 133.322 if unit == "mmHg" else 1e6)
        at = np.interp(theirs["phase"], ours["phi"], wave)
        error = np.sqrt(np.mean((at - theirs[column]) ** 2)) / np.ptp(theirs[column])
        assert error < TOLERANCE, (column, error)


def test_no_blood_is_lost():
    assert simulated()[1] < 1e-10


def test_the_numbers_are_the_published_ones(shared_data):
    path = shared_data / "circulation" / "params" / "reference28.json"
    theirs = json.loads(path.read_text("utf-8"))
    assert theirs["parameters"] == {name: value for name, (value, _) in PRINTED.items()}
    first = dict(zip(theirs["state_order"], theirs["initial_state"], strict=True))
    renamed = {"Pb": "felt"} | {f"V_{s.upper()}": f"V_{s}" for s in ("la", "lv", "ra", "rv")}
    begin = {renamed.get(k, k): v for k, v in first.items() if v}
    assert begin == {name: value for name, (value, _) in START.items()}


@pytest.mark.parametrize(("row", "case"), STEEP.items())
def test_the_full_model_bears_a_loss_that_the_reference_does_not(row, case, repository):
    """Refill, recruited veins and slower loss: pressure and output fall less than here."""
    beats = simulated()[0]
    rest, bled = indices(beats["baseline"]), indices(beats[row])
    full = {f.quantity: f for f in run_case(repository / "cases" / case)}
    for name, quantity in (("MAP", "mean_arterial_pressure"), ("CO", "cardiac_output")):
        found = full[f"change of {quantity}"]
        steep = 100.0 * (bled[name] / rest[name] - 1.0)
        assert steep < found.low, "the reference would pass: it is no longer too steep"
        assert found.obtained - steep > 5.0
        assert found.passed


def test_a_change_of_nothing_is_refused():
    with pytest.raises(ModelError, match="'A_xyz' is no parameter"):
        start28(program28(), [{"A_xyz": 1.0}])
    with pytest.raises(ModelError, match="'xyz' is no shunt"):
        graph28(["xyz"])


def test_values_are_read_in_the_units_printed():
    values = start28(program28(), [{}, {"A_av": 1.0}])
    assert values["A_av"].tolist() == pytest.approx([3.4e-4, 1e-4])
    assert values["V_ao"][0] == pytest.approx(85.0 * 0.45e-6)
    assert values["Ko_av"][0] == pytest.approx(to_si(15.99864, "mm[Hg]-1.s-1"))

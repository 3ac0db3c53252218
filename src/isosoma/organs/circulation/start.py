"""Where members of one person begin: near their own rest, by a quadratic in the unknowns.

Fitted once for a person to members that have settled, then kept: in the process, and on disk beside
the kernels, under a digest of all that it depends on. What is read back has the bits of what was
settled; a file that is absent, cut or of another release is settled again.
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from importlib.metadata import version
from itertools import combinations_with_replacement
from typing import Any

import numpy as np
import numpy.typing as npt

from isosoma.core.errors import ModelError
from isosoma.core.model import Bundle
from isosoma.organs.circulation.body import Person, inputs_of
from isosoma.organs.circulation.model import Circulation
from isosoma.organs.circulation.unknowns import theta_at, unknowns
from isosoma.physics import cache
from isosoma.physics.kernel import processor

__all__ = ["Start", "at_rest", "held_inputs", "start_of"]

Floats = npt.NDArray[np.float64]

_DESIGN = 512  # members that settle; a quadratic in 13 unknowns has 105 coefficients
_SETTLE = 100.0  # [s] then means over three breaths
_SAMPLES = 90
_PHASE, _WINDOW = 0.85, 0.12  # of the beat: late filling, where volumes are taken and members begin
_KEPT, _STATE, _ARRAYS = "starts", "state.", ("rows", "positive", "coefficients")
_CODE = (
    "isosoma.core",
    "isosoma.physics",
    "isosoma.physics.elements",
    "isosoma.organs.circulation",
)


@dataclass(frozen=True, slots=True, eq=False)
class Start:
    """Where members begin: each row of the state a quadratic in the unknowns.

    Attributes
    ----------
    rows : names. coefficients : (monomials, rows) of the logarithm where `positive` (rows,).
    state : of the reference member, arrays of shape (1, ...), for everything else.
    """

    rows: tuple[str, ...]
    positive: npt.NDArray[np.bool_]
    coefficients: Floats
    state: Bundle

    def at(self, z: Floats, total: Floats) -> dict[str, npt.NDArray[np.floating]]:
        """Return the state of members `z` (N, n); their blood and tissue add up to `total` (N,)."""
        fitted = _quadratic(z) @ self.coefficients
        fitted[:, self.positive] = np.exp(fitted[:, self.positive])
        out = {k: np.repeat(np.asarray(v), len(z), axis=0) for k, v in self.state.items()}
        out |= dict(zip(self.rows, np.ascontiguousarray(fitted.T), strict=True))
        filled = [n for n in out if n.startswith("V_")]
        spare = total - np.sum([out[n] for n in filled], axis=0)
        veins = out["V_vu"] + out["V_vl"]
        for name in ("V_vu", "V_vl"):
            out[name] = out[name] * (1.0 + spare / veins)
        for ring, row in zip(_RINGS, _SOURCES, strict=True):
            out[ring] = np.repeat(out[row][:, None], np.asarray(out[ring]).shape[1], axis=1)
        return out


_RINGS = ("ring_heart", "ring_vessels", "ring_veins", "ring_vagal")
_SOURCES = ("f_heart", "f_vessels", "f_vessels", "f_vagal")


def _quadratic(z: Floats) -> Floats:
    """Return the monomials to degree two (N, M), the constant first.

    Far out they go on from four standard deviations: a start is only a start.
    """
    x = np.clip(z, -4.0, 4.0)
    pairs = combinations_with_replacement(range(x.shape[1]), 2)
    return np.column_stack([np.ones(len(x)), x, *(x[:, i] * x[:, j] for i, j in pairs)])


def held_inputs(model: Circulation, person: Person, members: int) -> dict[str, Floats]:
    """Return every input [SI] of members at rest, as the person has it."""
    at = inputs_of(person)
    return {p.name: np.full(members, at.get(p.name, p.rest)) for p in model.inputs}


def at_rest(theta: Bundle) -> dict[str, npt.NDArray[np.floating]]:
    """Return parameters with the same equilibrium, which is reached without swinging past it."""
    members = len(np.asarray(theta["period"]))
    none = np.full(members, 1e-3)  # shorter than any step: no delay
    delays = dict.fromkeys(("delay_sympathetic", "delay_veins", "delay_vagal"), none)
    return {**theta, **delays, "capillary_conductance": np.zeros(members)}


@dataclass(frozen=True, slots=True)
class _Case:
    """What a start depends on; a model is told apart by its step and its graph's content."""

    key: str
    person: Person
    freed: tuple[str, ...]
    model: Circulation = field(compare=False)


def start_of(model: Circulation, person: Person, freed: Sequence[str] = ()) -> Start:
    """Return where members of this person begin; settled once, then kept.

    Settling takes some seconds: 512 members of a Sobol design beat for 100 s, their states averaged
    over the next three breaths.
    """
    return _kept(_case(model, person, freed))


def _case(model: Circulation, person: Person, freed: Sequence[str]) -> _Case:
    return _Case(repr((model.step, model.graph)), person, tuple(freed), model)


@lru_cache(maxsize=64)
def _kept(case: _Case) -> Start:
    """Return a start from disk, or settle it and keep it there."""
    name = f"isosoma_start_{_digest(case)}.npz"
    found = cache.read(_KEPT, name)
    if found is not None:
        return _read(found)
    start = _settled(case)
    cache.keep(_KEPT, name, _written(start))
    return start


def _digest(case: _Case) -> str:
    """Return a digest of what a start depends on: code, tables, libraries, processor and case."""
    made_by = (cache.code(*_CODE), version("numpy"), version("scipy"), processor())
    told = repr((made_by, case.key, case.person, case.freed))
    return hashlib.sha256(told.encode()).hexdigest()[:24]


def _written(start: Start) -> bytes:
    file = io.BytesIO()
    arrays: dict[str, Any] = {_STATE + k: v for k, v in start.state.items()}
    arrays |= {n: np.asarray(getattr(start, n)) for n in _ARRAYS}
    np.savez(file, **arrays)
    return file.getvalue()


def _read(content: bytes) -> Start:
    with np.load(io.BytesIO(content), allow_pickle=False) as found:
        state = {k.removeprefix(_STATE): found[k] for k in found.files if k.startswith(_STATE)}
        rows, positive, coefficients = (found[n] for n in _ARRAYS)
        return Start(tuple(rows.tolist()), positive, coefficients, state)


def _settled(case: _Case) -> Start:
    from scipy.stats import norm, qmc

    model, person, freed = case.model, case.person, case.freed
    count = len(unknowns(person, freed))
    made = qmc.Sobol(count, scramble=True, seed=1)  # pyright: ignore[reportCallIssue]
    z = 1.2 * norm.ppf(0.999 * made.random(_DESIGN) + 0.0005)
    z[0] = 0.0
    theta, inputs = at_rest(theta_at(model, person, z, freed)), held_inputs(model, person, len(z))
    tick = round(_SETTLE / model.step)
    out = model.advance(0, tick, model.start(theta), theta, inputs)
    reference = {k: np.asarray(v)[:1].copy() for k, v in out.state.items()}
    reference |= {k: np.zeros(1) for k in reference if k.startswith("q_") or k == "breath"}
    reference["phi"] = np.full(1, _PHASE)
    piece = max(1, round(3.0 / inputs_of(person)["breathing_frequency"] / _SAMPLES / model.step))
    rows = [k for k in out.state if _averaged(k)]
    total, weight, failed = np.zeros((len(z), len(rows))), np.zeros((len(z), len(rows))), out.failed
    volumes = np.array([k.startswith("V_") for k in rows])
    for _ in range(_SAMPLES):
        out = model.advance(tick, tick + piece, out.state, theta, inputs)
        tick, failed = tick + piece, failed | out.failed
        filling = np.abs(np.asarray(out.state["phi"]) - _PHASE) < _WINDOW
        counts = np.where(volumes, filling[:, None], True)
        total += counts * np.column_stack([out.state[k] for k in rows])
        weight += counts
    failed |= weight.min(axis=1) == 0
    return _fit(z[~failed], (total / np.maximum(weight, 1))[~failed], rows, reference)


def _averaged(row: str) -> bool:
    kept = ("V_", "S_", "tone_", "p_", "f_", "E_", "G_", "Vu_", "coronary_tone", "heart_strength")
    return row.startswith((*kept, "per_T", "rate_v", "capacity", "haemoglobin_mass"))


def _fit(z: Floats, means: Floats, rows: list[str], state: Bundle) -> Start:
    if len(z) < 2 * _quadratic(z[:1]).shape[1]:
        raise ModelError(
            f"only {len(z)} of {_DESIGN} members of the design can settle",
            todo="This person's medians lie where the model fails; check age and weight",
        )
    positive = np.all(means > 0.0, axis=0)
    target = means.copy()
    target[:, positive] = np.log(means[:, positive])
    coefficients: Floats = np.linalg.lstsq(_quadratic(z), target, rcond=None)[0].astype(np.float64)
    return Start(tuple(rows), positive, coefficients, state)

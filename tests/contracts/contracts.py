"""What every model owes, as functions that raise AssertionError with the breach in words.

`test_contracts.py` applies each of them to each model of `isosoma.organs`, unasked, and to models
with one planted fault each, which they must catch.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from isosoma.core.model import Bundle, Model, Outcome
from isosoma.core.units import ucum
from isosoma.core.vocabulary import VOCABULARY

TICKS = 400
MEMBERS = 5


def _theta(model: Model, rng: np.random.Generator, members: int = MEMBERS) -> dict[str, np.ndarray]:
    z = 0.5 * rng.standard_normal((len(model.parameters), members))
    return {p.name: p.prior.real(z[i]) for i, p in enumerate(model.parameters)}


def _inputs(model: Model, members: int = MEMBERS) -> dict[str, np.ndarray]:
    return {p.name: np.full((members, *p.shape), p.rest, dtype=p.dtype) for p in model.inputs}


def _run(model: Model, theta: Bundle, ticks: int = TICKS) -> Outcome:
    members = len(next(iter(theta.values())))
    return model.advance(0, ticks, model.start(theta), theta, _inputs(model, members))


def _same(a: Bundle, b: Bundle, what: str) -> None:
    assert a.keys() == b.keys(), f"{what}: other names"
    for name in a:
        assert np.array_equal(a[name], b[name], equal_nan=True), f"{what}: {name} differs"


def _scale(unit: str, factors: np.ndarray) -> float:
    return float(np.prod(factors ** np.array(ucum(unit).dimensions, dtype=np.float64)))


def _scaled(bundle: Bundle, units: Mapping[str, str], factors: np.ndarray) -> dict[str, np.ndarray]:
    return {k: v * _scale(units[k], factors) for k, v in bundle.items()}


def homogeneous(model: Any) -> None:
    """Base units changed at random by powers of two: every result must follow its own unit."""
    rng = np.random.default_rng(7)
    for _ in range(3):
        factors = np.ones(8)
        factors[:6] = 2.0 ** rng.integers(-6, 7, size=6)
        theta = _theta(model, rng)
        units = {p.name: p.unit for p in (*model.parameters, *model.states, *model.outputs)}
        plain = _run(model, theta)
        other = replace(model, step=model.step * factors[2])
        moved = _scaled(theta, units, factors)
        inputs = {p.name: _inputs(model)[p.name] * _scale(p.unit, factors) for p in model.inputs}
        result = other.advance(0, TICKS, other.start(moved), moved, inputs)
        for kind in ("state", "outputs"):
            expected = _scaled(getattr(plain, kind), units, factors)
            for name, value in getattr(result, kind).items():
                np.testing.assert_allclose(
                    value, expected[name], rtol=1e-9, err_msg=f"{name} does not follow its unit"
                )


def bounded(model: Model) -> None:
    """No prior leaves the bounds of the vocabulary row of its name."""
    for p in model.parameters:
        row = VOCABULARY.get(p.name)
        if row is None:
            continue
        assert ucum(p.unit).dimensions == ucum(row.unit).dimensions, f"{p.name}: another unit"
        low, high = p.prior.support
        assert row.low <= low <= high <= row.high, f"{p.name}: the prior leaves the possible"


def conserving(model: Model) -> None:
    """The change of each conserved quantity is what was exchanged, to 1e-10 of its size."""
    rng = np.random.default_rng(11)
    theta = _theta(model, rng)
    state = model.start(theta)
    before = model.conserved(state, theta)
    outcome = model.advance(0, TICKS, state, theta, _inputs(model))
    after = model.conserved(outcome.state, theta)
    for name, total in before.items():
        drift = after[name] - total - outcome.exchanged.get(name, np.zeros_like(total))
        size = np.abs(total) + np.abs(after[name]) + 1e-300
        assert np.all(np.abs(drift) <= 1e-10 * size), f"{name} is not conserved: {drift / size}"


def batched(model: Model) -> None:
    """A batch gives each member what it would get alone, to the bit."""
    theta = _theta(model, np.random.default_rng(13))
    whole = _run(model, theta)
    for m in range(MEMBERS):
        alone = _run(model, {k: v[m : m + 1] for k, v in theta.items()})
        for kind in ("state", "outputs"):
            picked = {k: v[m : m + 1] for k, v in getattr(whole, kind).items()}
            _same(getattr(alone, kind), picked, f"member {m} alone, {kind}")


def splitting(model: Model) -> None:
    """Two advances give the state of one, to the bit, wherever the interval is cut."""
    theta = _theta(model, np.random.default_rng(17))
    whole = _run(model, theta)
    for cut in (0, 1, 137, TICKS):
        first = model.advance(0, cut, model.start(theta), theta, _inputs(model))
        second = model.advance(cut, TICKS, first.state, theta, _inputs(model))
        _same(second.state, whole.state, f"cut at tick {cut}")


def isolating(model: Model) -> None:
    """A member that cannot be computed is a value in `failed`; the others change no bit."""
    theta = _theta(model, np.random.default_rng(19))
    whole = _run(model, theta)
    sick = {k: v.copy() for k, v in theta.items()}
    for values in sick.values():
        values[2] = np.nan
    outcome = _run(model, sick)
    assert outcome.failed.tolist() == [m == 2 for m in range(MEMBERS)], "failed names others"
    assert outcome.advice, "a failure comes without advice"
    for kind in ("state", "outputs"):
        kept = [m for m in range(MEMBERS) if m != 2]
        a = {k: v[kept] for k, v in getattr(outcome, kind).items()}
        b = {k: v[kept] for k, v in getattr(whole, kind).items()}
        _same(a, b, f"beside a failed member, {kind}")


def pure(model: Model) -> None:
    """An advance changes none of its arguments."""
    theta = _theta(model, np.random.default_rng(23))
    state, inputs = model.start(theta), _inputs(model)
    copies = [{k: np.array(v) for k, v in b.items()} for b in (state, theta, inputs)]
    model.advance(0, TICKS, state, theta, inputs)
    for what, old, new in zip(
        ("state", "theta", "inputs"), copies, (state, theta, inputs), strict=True
    ):
        _same(old, new, f"{what} was changed in place")


def sourced(model: Model) -> None:
    """Every parameter says where it comes from."""
    for p in model.parameters:
        assert len(p.source.text) > 3, f"{p.name} has no source"


def named(model: Model) -> None:
    """Every output is a row of the vocabulary, in its unit, and an advance gives exactly those."""
    for port in model.outputs:
        row = VOCABULARY.get(port.name)
        assert row is not None, f"{port.name} has no row in the vocabulary"
        assert ucum(port.unit) == ucum(row.unit), f"{port.name} is in {port.unit}, not {row.unit}"
    given = _run(model, _theta(model, np.random.default_rng(29)))
    assert given.outputs.keys() == {p.name for p in model.outputs}, "outputs are not as declared"
    assert given.state.keys() == {p.name for p in model.states}, "the state is not as declared"


def answerable(model: Model) -> None:
    """It says what it may be asked, and what it must not be used for."""
    use = model.intended_use
    for text in (use.question, use.context, use.not_for):
        assert len(text.split()) >= 3, "the intended use is not said"


def cased(model: Model) -> None:
    """At least one published case stands in ``cases/``."""
    folder = Path(__file__).resolve().parents[2] / "cases"
    assert model.cases, "no published case"
    for name in model.cases:
        assert (folder / name).is_file(), f"cases/{name} does not exist"


CONTRACTS: tuple[Callable[[Any], None], ...] = (
    homogeneous, bounded, conserving, batched, splitting, isolating, pure, sourced, named,
    answerable, cased,
)  # fmt: skip

"""Where members begin: what is read back from disk has the bits of what was settled."""

from __future__ import annotations

import numpy as np
import pytest

from isosoma.organs.circulation import start as starts
from isosoma.organs.circulation.body import Person
from isosoma.organs.circulation.model import Circulation
from isosoma.organs.circulation.start import Start, start_of
from isosoma.physics.cache import CACHE

PERSON = Person(66.0, 81.0, 1.7)


def _bits(start: Start) -> list[object]:
    z = np.random.default_rng(1).standard_normal((5, 13))
    begun = start.at(z, np.full(5, 0.02))
    kept = {"coefficients": start.coefficients, "positive": start.positive, **start.state, **begun}
    return [start.rows, *((k, v.dtype, v.shape, v.tobytes()) for k, v in kept.items())]


@pytest.fixture
def counted(tmp_path, monkeypatch):
    """Return how often a start was settled, in a cache of its own."""
    monkeypatch.setenv(CACHE, str(tmp_path))
    settled, times = starts._settled, []
    monkeypatch.setattr(starts, "_settled", lambda case: times.append(case) or settled(case))
    starts._kept.cache_clear()
    yield times
    starts._kept.cache_clear()


def test_a_start_from_disk_has_the_bits_of_one_that_was_settled(tmp_path, counted):
    first = _bits(start_of(Circulation(), PERSON))
    starts._kept.cache_clear()
    assert _bits(start_of(Circulation(), PERSON)) == first
    assert len(counted) == 1, "the second was read from disk"
    (kept,) = tmp_path.rglob("*.npz")
    for damage in (kept.read_bytes()[:-9], b""):
        kept.write_bytes(damage)
        starts._kept.cache_clear()
        assert _bits(start_of(Circulation(), PERSON)) == first
    assert len(counted) == 3, "a file that is not whole is made again"


def test_each_case_is_kept_under_a_name_of_its_own():
    model = Circulation()
    asked = [
        (model, PERSON, ()),
        (model, Person(66.0, 81.5, 1.7), ()),
        (model, Person(66.0, 81.0, 1.7, female=True), ()),
        (model, PERSON, ("aortic_area",)),
        (Circulation(step=5e-4), PERSON, ()),
        (model.rewired("glenn"), PERSON, ()),
    ]
    names = {starts._digest(starts._case(*case)) for case in asked}
    assert len(names) == len(asked)
    assert starts._digest(starts._case(Circulation(), PERSON, ())) in names

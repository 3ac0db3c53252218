"""How far something is, shown on a terminal where it takes longer than two seconds."""

from __future__ import annotations

import sys
from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import Any

__all__ = ["progress"]

PATIENCE = 2.0
"""Time after which a person wants to know that something goes on [s]."""


@contextmanager
def progress(what: str, total: float, unit: str = "") -> Generator[Callable[[float], Any]]:
    """Show how much of `total` is done; what it yields hears the amount, in the same unit."""
    from tqdm import tqdm

    hidden = not sys.stderr.isatty()
    with tqdm(
        total=round(total), desc=what, unit=unit, disable=hidden, leave=False, delay=PATIENCE
    ) as bar:
        yield lambda done: bar.update(round(done) - bar.n)

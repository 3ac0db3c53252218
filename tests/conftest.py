"""What the tests of flows may ask for: one browser a file."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.browser import chromium


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """Chromium, drawing in software; ended after the file, as its event loop would bar others."""
    with chromium() as made:
        yield made

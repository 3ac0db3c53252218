"""What every test may ask for: the shared real data (skipped with a reason where absent)."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import settings

ROOT = Path(__file__).resolve().parent
SHARED_DATA = ROOT.parent / "shared" / "data"
# No test fails by the clock: a first example compiles, and other work shares the cores.
settings.register_profile("clockless", deadline=None)
settings.load_profile("clockless")


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Folder of the shared real recordings; the product ships none of them."""
    if not SHARED_DATA.is_dir():
        pytest.skip("the real recordings (shared/data) do not lie beside the checkout")
    return SHARED_DATA


@pytest.fixture(scope="session")
def repository() -> Path:
    """Folder of the checkout."""
    return ROOT

"""What lets a rehearsal go first while it plays, in the command line and behind the page."""

from __future__ import annotations

import sys
import threading
from collections.abc import Generator
from contextlib import contextmanager

__all__ = ["SWITCH", "hurried"]

SWITCH = 5e-4
"""Time after which a thread lets another have the interpreter [s] while a rehearsal plays: it runs
for some ms between two frames, and a kernel that is done should not wait for ten times as long."""


@contextmanager
def hurried(rehearsing: threading.Event | None = None) -> Generator[None]:
    """Let a rehearsal go first; what waits for `rehearsing` to be cleared waits, waveforms not."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(SWITCH)
    if rehearsing is not None:
        rehearsing.set()
    try:
        yield
    finally:
        sys.setswitchinterval(before)
        if rehearsing is not None:
            rehearsing.clear()

"""Times as the rehearsal room writes them: on this machine's clock, where its page is read, too."""

from __future__ import annotations

import time

__all__ = ["age_of", "clock_at"]

_MINUTE, _DAY = 60 * 10**9, 86_400 * 10**9


def clock_at(at: int, now: int) -> str:
    """Return an instant [ns] as ``10:04``, with its day where that is not within one of `now`."""
    form = "%H:%M" if abs(now - at) < _DAY else "%d %b %H:%M"
    return time.strftime(form, time.localtime(at // 10**9))


def age_of(until: int, now: int) -> str:
    """Return ``from data until 10:04, 6 min ago``: minutes as the two times on the clock differ."""
    minutes = now // _MINUTE - until // _MINUTE
    ago = f"{minutes} min ago"
    if minutes <= 0:
        ago = "this minute"
    elif minutes >= 2880:
        ago = f"{minutes // 1440} days ago"
    elif minutes >= 120:
        ago = f"{minutes // 60} h ago"
    return f"from data until {clock_at(until, now)}, {ago}"

"""Live beats, rhythm, features, quality indices and event predicates over time series.

The whole fleet advances by one call per tick, and any chunking gives the same output::

    state = monitor_start(patients, hz)             # 128 to 1000 Hz
    out = monitor_tick(state, ecg, pulse=None)      # ecg: (patients, n) [V], NaN where lost
    out.beats     # Beats: patient, r, decided [samples], kind (index into BEAT_TYPES), rr, snr …
    out.rhythm    # (beats,) rhythm of each beat at its decision, index into RHYTHMS
    out.events    # Events: patient, rule (index into state.rules), at [samples], raised or cleared
    state.rhythm.code     # (patients,) rhythm now, index into RHYTHMS

`state` is a bundle of named arrays, advanced in place; `copy.deepcopy` of it is a checkpoint.
`beats.start` and `beats.tick` are the detector alone. Nothing heavy is imported before it is used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

__all__ = ["BEAT_TYPES", "RHYTHMS", "monitor_start", "monitor_tick"]

if TYPE_CHECKING:
    from isosoma.signals.beats import BEAT_TYPES
    from isosoma.signals.monitor import monitor_start, monitor_tick
    from isosoma.signals.rhythm import RHYTHMS

_HOMES = {
    "BEAT_TYPES": "beats",
    "RHYTHMS": "rhythm",
    "monitor_start": "monitor",
    "monitor_tick": "monitor",
}


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)

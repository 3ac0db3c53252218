"""A verdict and a reason for everything measured, and an eye for the wrong set-up.

`start`, `judge` and `judge_many` fold over event time; `Finding` says what is wrong with a set-up.
Nothing is dropped: a weight below 0.3 teaches no filter, and alarms never ask.
"""

from __future__ import annotations

from isosoma.quality.context import Context
from isosoma.quality.finding import Finding
from isosoma.quality.gate import State, judge, judge_many, start, uncertainty, with_findings

__all__ = [
    "Context",
    "Finding",
    "State",
    "judge",
    "judge_many",
    "start",
    "uncertainty",
    "with_findings",
]

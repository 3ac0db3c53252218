"""A verdict and a reason for everything measured, and an eye for the wrong set-up.

`start`, `judge` and `judge_many` fold over event time; the set-up detectors look at a stretch of
readings and give a `Finding`, which `with_findings` puts in force.
Nothing is dropped: a weight below 0.3 teaches no filter, and alarms never ask.
"""

from __future__ import annotations

from isosoma.quality.clock import clock_finding, sample_clock_finding
from isosoma.quality.context import Context
from isosoma.quality.cuff_size import cuff_size
from isosoma.quality.damping import damping_by_cuff, damping_finding, fast_flush
from isosoma.quality.examine import examine
from isosoma.quality.finding import Finding
from isosoma.quality.gate import State, judge, judge_many, start, uncertainty, with_findings
from isosoma.quality.identity import exchanged, fingerprint, mismatched
from isosoma.quality.leads import inverted_lead_one, reversed_lead, swapped
from isosoma.quality.levelling import levelling

__all__ = [
    "Context",
    "Finding",
    "State",
    "clock_finding",
    "cuff_size",
    "damping_by_cuff",
    "damping_finding",
    "examine",
    "exchanged",
    "fast_flush",
    "fingerprint",
    "inverted_lead_one",
    "judge",
    "judge_many",
    "levelling",
    "mismatched",
    "reversed_lead",
    "sample_clock_finding",
    "start",
    "swapped",
    "uncertainty",
    "with_findings",
]

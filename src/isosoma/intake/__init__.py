"""From outside into the log: exchange reads, quality judges, record keeps; live or from a folder.

What is accepted is on disk when the call returns. What is refused leaves the log as it was.
"""

from __future__ import annotations

from isosoma.intake.body import limited, take_body
from isosoma.intake.folder import take_paths
from isosoma.intake.taking import Session, Summary, submit, take
from isosoma.intake.timeline import Timeline, beats_of, timeline

__all__ = [
    "Session",
    "Summary",
    "Timeline",
    "beats_of",
    "limited",
    "submit",
    "take",
    "take_body",
    "take_paths",
    "timeline",
]

"""What came from the sensors, what is wrong with their set-up, and what may be learnt of it."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field

from isosoma import quality
from isosoma.core.observation import Observation
from isosoma.infer.belief import Reading
from isosoma.quality.cuff import is_line
from isosoma.serve.arterial_line import Line, heard

__all__ = ["Lessons"]

_WINDOW = 900 * 10**9  # [ns] of readings that the set-up is looked at in
_AROUND = 120 * 10**9  # [ns] before a fault that holds, without which it could not be seen
_PATIENCE = 20.0  # [s] that learning waits for a rehearsal
_MOST = 7200 * 10**9  # [ns] that is looked back at most


@dataclass(slots=True, eq=False)
class Lessons:
    """The readings of the last quarter of an hour, and the faults of the set-up that they show."""

    seen: list[Observation] = field(default_factory=list[Observation])
    faults: tuple[quality.Finding, ...] = ()
    _gate: quality.State = field(default_factory=quality.start)
    _line: Line = field(default_factory=Line)
    _since: float = 0.0  # when a rehearsal began to hold lessons up [s]; 0 while none does

    def of(self, found: Sequence[Observation], now: int) -> list[Reading]:
        """Look at the set-up with what came until `now` [ns]; return what may be learnt, judged."""
        back = min((f.since - _AROUND for f in self.faults), default=now)
        start = max(min(now - _WINDOW, back), now - _MOST)
        self.seen = [o for o in (*self.seen, *found) if o.at >= start]
        self.faults = quality.examine(self.seen)
        self._line, means = heard(self._line, found, self.faults)
        lessons = [*(o for o in found if not is_line(o)), *means]
        state = quality.with_findings(self._gate, self.faults)
        self._gate, verdicts = quality.judge_many(state, lessons)
        return [Reading(o, v) for o, v in zip(lessons, verdicts, strict=True)]

    def held(self, rehearsing: bool) -> bool:
        """Whether lessons wait for a rehearsal, which two cores can only just play in time."""
        if not rehearsing:
            self._since = 0.0
            return False
        self._since = self._since or time.monotonic()
        return time.monotonic() - self._since < _PATIENCE

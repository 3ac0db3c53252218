"""What a listener says while it runs: one line a second at most, and every refusal."""

from __future__ import annotations

import json
import sys
import threading
from dataclasses import asdict, dataclass, field
from typing import Any

from isosoma.intake.stream import Batch
from isosoma.intake.taking import Summary

__all__ = ["Count", "Teller"]

_SENTENCES = 10
"""Refusals said in full between two lines; those beyond are counted in the next line."""


@dataclass(frozen=True, slots=True)
class Count:
    """Messages, how many of them were refused, and what became of the readings of the others."""

    messages: int = 0
    refused: int = 0
    summary: Summary = field(default_factory=Summary)

    def __add__(self, other: Count) -> Count:
        return Count(
            self.messages + other.messages,
            self.refused + other.refused,
            self.summary + other.summary,
        )

    def plain(self) -> dict[str, int]:
        """Return it as plain numbers."""
        told = asdict(self.summary)
        told.pop("companions")
        return {"messages": self.messages, "refused": self.refused, **told}


class Teller:
    """Counts and says; may be called from any thread. Lines of JSON where `as_json`."""

    def __init__(self, *, as_json: bool) -> None:
        """Begin at nothing."""
        self.as_json = as_json
        self.total = Count()
        self._fresh = Count()
        self._said = 0
        self._lock = threading.Lock()

    def say(self, event: str, sentence: str, **more: Any) -> None:
        """Say one thing now: an object on standard output, or a line on standard error."""
        if self.as_json:
            _out(json.dumps({"event": event, "sentence": sentence, **more}))
        else:
            print(f"isosoma: {_clean(sentence)}", file=sys.stderr, flush=True)

    def tell(self, batch: Batch, messages: int) -> None:
        """Count a batch and say why messages of it were refused."""
        with self._lock:
            self._fresh += Count(messages, len(batch.refused), batch.summary)
            for i in sorted(batch.refused):
                if self._said < _SENTENCES:
                    self.say("refused", str(batch.refused[i]))
                self._said += 1

    def flush(self, event: str = "delivery") -> None:
        """Say what came since the last line, if anything did; ``total`` says all that ever came."""
        with self._lock:
            fresh, self._fresh = self._fresh, Count()
            hidden, self._said = max(0, self._said - _SENTENCES), 0
            self.total += fresh
        if event == "total":
            self._line(event, self.total, 0)
        elif fresh.messages:
            self._line(event, fresh, hidden)

    def _line(self, event: str, count: Count, hidden: int) -> None:
        numbers = count.plain()
        if self.as_json:
            return _out(json.dumps({"event": event, **numbers}))
        shown = [f"{n} {k}" for k, n in numbers.items() if n or k in ("messages", "accepted")]
        more = f" ({hidden} refusals not said one by one)" if hidden else ""
        return _out(f"{event}: {', '.join(shown)}{more}")


def _out(line: str) -> None:
    print(line, flush=True)


def _clean(text: str) -> str:
    """One line without control characters: part of it came from outside."""
    return "".join(c if c.isprintable() else " " for c in text)

"""Decisions as the log keeps them: about what, which one, what happened, and its content."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from isosoma.record import Draft, Entry

__all__ = ["decision", "decisions"]


def decision(about: str, id_: str, event: str, content: Mapping[str, Any]) -> Draft:
    """Return the event that something was decided about a rehearsal or a prediction."""
    payload = {"about": about, "id": id_, "event": event, **content}
    return Draft("decision", payload, key=f"{about}:{id_}".encode())


def decisions(entries: Iterable[Entry], about: str) -> Iterator[tuple[Entry, dict[str, Any]]]:
    """Yield each entry that is a decision about that, and what it says; erased ones say nothing."""
    for entry in entries:
        if entry.kind != "decision" or entry.erased:
            continue
        said: dict[str, Any] = json.loads(entry.payload)
        if said.get("about") == about:
            yield entry, said

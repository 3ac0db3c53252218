"""What of a rehearsal cannot be, field by field, so that each is told where it is written.

Every part is judged alone, in a rehearsal that could be played: what is wrong in one hides nothing
in another.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, cast

from isosoma.core.errors import InputError
from isosoma.organs.circulation.acts import Act, read_act, unusual_of
from isosoma.scenario.devices import Devices
from isosoma.scenario.rehearsal_file import read_rehearsal, rehearsal_of

__all__ = ["WEIGHT", "unusuals", "wrongs"]

WEIGHT = 70.0
"""Of a patient [kg] of whom nothing is known, by which a dose that is not per kg is judged."""

_SOUND = {"question": "Can this be?", "for": "24 h"}
_FILLERS = ({"name": "."}, {"name": ".."})
_COMMAND = re.compile(r"[;,]? ?`isosoma [^`]*`[^.;]*")
"""What a terminal is told to type; a page has none."""


def wrongs(raw: str | Mapping[str, Any], devices: Devices | None = None) -> dict[str, str]:
    """Return a sentence for each part that cannot be; nothing where all can be played.

    The parts are ``question``, ``for``, ``before``, ``option 2`` (its name) and ``option 2 act 1``;
    ``rehearsal`` where it is none of them.
    """
    whole = _why(raw, devices)
    if not whole or isinstance(raw, str):
        return {"rehearsal": whole} if whole else {}
    found = dict[str, str]()
    for part, said in _parts(raw, devices):
        if said:
            found.setdefault(part, said)
    return found or {"rehearsal": whole}


def unusuals(raw: str | Mapping[str, Any], weight: float = WEIGHT) -> dict[str, str]:
    """Return a sentence for each act that is above the usual range, part by part as `wrongs`.

    Acts that cannot be are left to `wrongs`. `weight` : of the patient [kg].
    """
    if isinstance(raw, str):
        try:
            options = read_rehearsal(raw).options
        except InputError:
            return {}
        acts = {f"option {i} act {k}": step.act for i, option in enumerate(options, 1)
                for k, step in enumerate(option.steps, 1)}  # fmt: skip
    else:
        acts = {part: act for part, said in _written(raw) if (act := _read(said)) is not None}
    found = {part: unusual_of(act, weight) for part, act in acts.items()}
    return {part: f"{said[:1].upper()}{said[1:]}." for part, said in found.items() if said}


def _written(raw: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Yield every act as it is written, and its part."""
    for step in _list(raw.get("before")):
        yield "before", step
    for i, option in enumerate(_list(raw.get("option")), 1):
        if isinstance(option, dict):
            table = cast("dict[str, Any]", option)
            for k, step in enumerate(_list(table.get("do")), 1):
                yield f"option {i} act {k}", step


def _read(step: Any) -> Act | None:
    """Return the act of a step; None where it is none."""
    said = cast("dict[str, Any]", step).get("act") if isinstance(step, dict) else step
    try:
        return read_act(said) if isinstance(said, str) else None
    except InputError:
        return None


def _parts(raw: Mapping[str, Any], devices: Devices | None) -> Iterator[tuple[str, str]]:
    yield "question", _why(_played(question=raw.get("question", "")), devices)
    length = _played(**{"for": raw.get("for", "")})
    wrong = _why(length, devices, "Write it as 10 min, 300 s or 2 h")
    yield "for", wrong
    for step in _list(raw.get("before")):
        yield "before", _why(_played(before=[step]), devices)
    names = list[Any]()
    for i, option in enumerate(_list(raw.get("option")), 1):
        table = cast("dict[str, Any]", option) if isinstance(option, dict) else {"name": option}
        named = [*names, {"name": table.get("name", "")}]
        said = _why(_played(option=_enough(named)), devices)
        names = names if said else named
        yield f"option {i}", said
        for k, step in enumerate(_list(table.get("do")), 1):
            asked = _played(option=[{"name": ".", "do": [step]}, {"name": ".."}])
            yield (
                f"option {i} act {k}",
                _why(asked if wrong else asked | {"for": raw["for"]}, devices),
            )


def _played(**parts: Any) -> dict[str, Any]:
    """Return a rehearsal that can be played, but for these parts."""
    return {**_SOUND, "option": list(_FILLERS), **parts}


def _enough(options: list[Any]) -> list[Any]:
    """Return options of which there are two at least, none of a name that was taken."""
    free = [f for f in _FILLERS if f not in options]
    return options + free[: max(0, 2 - len(options))]


def _list(raw: Any) -> Sequence[Any]:
    return cast("list[Any]", raw) if isinstance(raw, list) else ()


def _why(raw: str | Mapping[str, Any], devices: Devices | None, todo: str = "") -> str:
    """Return why it cannot be read, and what to do, without its place; empty where it can be."""
    try:
        if isinstance(raw, str):
            read_rehearsal(raw, devices)
        else:
            rehearsal_of(raw, devices)
    except InputError as error:
        told = (error.what, todo or _COMMAND.sub("", error.todo))
        said = ". ".join(part.strip() for part in told if part.strip())
        return f"{said[:1].upper()}{said[1:]}."
    return ""

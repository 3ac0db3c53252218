"""WFDB annotation files: beats, rhythms and notes that people or programs put on a record.

Reference: Moody, WFDB Applications Guide, annot(5).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from isosoma.core.errors import FormatError

__all__ = ["BEAT_SYMBOLS", "Annotations", "read_annotations"]

_Mark = tuple[int, str, int, int, int]  # sample, symbol, subtype, channel, number

BEAT_SYMBOLS = "NLRBAaJSVrFejnE/fQ?"
"""Annotation symbols that mark a beat; the others mark rhythm, noise, waves."""

_SYMBOLS = (
    " NLRaVFJASEj/Q~ |" " sT*D\"=pB^t+u?![]en@xf()r"
)  # fmt: skip  # index = code 0 … 41; 17 is unused


@dataclass(frozen=True, slots=True, eq=False)
class Annotations:
    """Marks of one annotation file; all arrays and tuples have shape (n,)."""

    sample: npt.NDArray[np.int64]
    symbol: tuple[str, ...]
    aux: tuple[str, ...]
    subtype: npt.NDArray[np.int8]
    channel: npt.NDArray[np.int8]
    number: npt.NDArray[np.int8]
    hz: float | None = None


def read_annotations(path: str | Path) -> Annotations:
    """Read an annotation file (``100.atr``).

    Raises
    ------
    FormatError
        It is cut off or holds a code that does not exist.
    """
    where = Path(path).name
    try:
        raw = Path(path).read_bytes()
    except OSError as error:
        raise FormatError("cannot be opened", where, "Check the name") from error
    words = np.frombuffer(raw[: len(raw) // 2 * 2], "<u2").tolist()
    marks: list[_Mark] = []
    aux: dict[int, str] = {}
    t = i = sub = chan = num = 0
    ended = False
    while i < len(words):
        code, step = words[i] >> 10, words[i] & 0x3FF
        i += 1
        if words[i - 1] == 0:
            ended = True
            break
        if code == 59:
            t += _skip(words, i, where)
            i += 2
        elif code == 63:
            size = (step + 1) // 2
            text = raw[2 * i : 2 * i + step]
            if len(text) < step:
                break
            aux[len(marks) - 1] = text.decode("latin-1").rstrip("\0")
            i += size
        elif code in (60, 61, 62):
            value = step - 1024 if step > 511 else step
            num, sub, chan = _side(marks, code, value, num, sub, chan)
        elif code < len(_SYMBOLS):
            t += step
            marks.append((t, _SYMBOLS[code], 0, chan, num))
        else:
            raise FormatError(f"annotation code {code} does not exist", where, "Copy it again")
    if not ended:
        raise FormatError("the annotations are cut off", where, "Copy the file again")
    return _table(marks, aux)


def _skip(words: list[int], i: int, where: str) -> int:
    """Interval of a SKIP: 32 bits, signed, high word first."""
    if i + 1 >= len(words):
        raise FormatError("the annotations are cut off", where, "Copy the file again")
    value = (words[i] << 16) | words[i + 1]
    return value - (1 << 32) if value >> 31 else value


def _side(
    marks: list[_Mark], code: int, value: int, num: int, sub: int, chan: int
) -> tuple[int, int, int]:  # fmt: skip
    """Apply NUM, SUB or CHN to the mark before; NUM and CHN hold for the next marks too."""
    if marks:
        t, symbol, s, c, n = marks[-1]
        s, c, n = (value, c, n) if code == 61 else (s, value, n) if code == 62 else (s, c, value)
        marks[-1] = (t, symbol, s, c, n)
    return (value if code == 60 else num), sub, (value if code == 62 else chan)


def _table(marks: list[_Mark], aux: dict[int, str]) -> Annotations:
    """Turn the marks into columns; a leading note with the time resolution gives the rate."""
    hz = None
    for i in sorted(aux):
        found = re.match(r"## time resolution: ([0-9.]+)", aux[i])
        if found is not None:
            hz = float(found[1])
    kept = [(m, aux.get(i, "")) for i, m in enumerate(marks) if not aux.get(i, "").startswith("##")]
    sides = np.array([m[2:] for m, _ in kept], np.int64).reshape(-1, 3).astype(np.int8)
    return Annotations(
        np.array([m[0] for m, _ in kept], np.int64),
        tuple(m[1] for m, _ in kept),
        tuple(a for _, a in kept),
        *sides.T,
        hz=hz,
    )

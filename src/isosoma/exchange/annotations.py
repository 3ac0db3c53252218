"""WFDB annotation files: beats, rhythms and notes that people or programs put on a record.

Reference: Moody, WFDB Applications Guide, annot(5).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from isosoma.core.errors import FormatError, LimitError

__all__ = ["BEAT_SYMBOLS", "Annotations", "read_annotations"]

_MOST_BYTES = 16 << 20  # 8 million marks, a fortnight of beats of a record and more
_UNUSED = (15, 17)
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
        It is cut off, goes on after its end, or holds a code that does not exist.
    LimitError
        Over 16 MiB.
    """
    where = Path(path).name
    raw = _bytes(Path(path))
    words = np.frombuffer(raw[: len(raw) // 2 * 2], "<u2").tolist()
    end, marks, aux = _walk(raw, words, where)
    if end < 0:
        raise FormatError("the annotations are cut off", where, "Copy the file again")
    if any(raw[2 * end :]):
        raise FormatError("something follows the last mark", where, "Copy the file again")
    if any(mark[0] < 0 for mark in marks):
        raise FormatError("a mark lies before the record", where, "Copy the file again")
    return _table(marks, aux)


def _walk(raw: bytes, words: list[int], where: str) -> tuple[int, list[_Mark], dict[int, str]]:
    """Return the place of the word that ends the marks (-1 where none does), marks and notes."""
    marks: list[_Mark] = []
    aux: dict[int, str] = {}
    t = i = chan = num = 0
    while i < len(words) and words[i]:
        code, step = words[i] >> 10, words[i] & 0x3FF
        i += 1
        if code == 59:
            t += _skip(words, i, where)
            i += 2
        elif code == 63:
            aux[len(marks) - 1] = raw[2 * i : 2 * i + step].decode("latin-1").rstrip("\0")
            i += (step + 1) // 2
        elif code in (60, 61, 62):
            num, chan = _side(marks, code, step - 1024 if step > 511 else step, num, chan)
        elif code < len(_SYMBOLS) and code not in _UNUSED:
            t += step
            marks.append((t, _SYMBOLS[code], 0, chan, num))
        else:
            raise FormatError(f"annotation code {code} does not exist", where, "Copy it again")
    if -1 in aux:
        raise FormatError("a note stands before the first mark", where, "Copy it again")
    return (i if i < len(words) else -1), marks, aux


def _bytes(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            raw = file.read(_MOST_BYTES + 1)
    except OSError as error:
        raise FormatError("cannot be opened", path.name, "Check the name") from error
    if len(raw) > _MOST_BYTES:
        raise LimitError("marks of over 16 MiB are not read", path.name, "Cut the record")
    return raw


def _skip(words: list[int], i: int, where: str) -> int:
    """Interval of a SKIP: 32 bits, signed, high word first."""
    if i + 1 >= len(words):
        raise FormatError("the annotations are cut off", where, "Copy the file again")
    value = (words[i] << 16) | words[i + 1]
    return value - (1 << 32) if value >> 31 else value


def _side(marks: list[_Mark], code: int, value: int, num: int, chan: int) -> tuple[int, int]:
    """Apply NUM, SUB or CHN to the mark before; NUM and CHN hold for the next marks too."""
    if marks:
        t, symbol, s, c, n = marks[-1]
        s, c, n = (value, c, n) if code == 61 else (s, value, n) if code == 62 else (s, c, value)
        marks[-1] = (t, symbol, s, c, n)
    return (value if code == 60 else num), (value if code == 62 else chan)


def _table(marks: list[_Mark], aux: dict[int, str]) -> Annotations:
    """Turn the marks into columns; a leading note with the time resolution gives the rate."""
    hz = None
    for i in sorted(aux):
        found = re.match(r"## time resolution: ([0-9]{1,9}(?:\.[0-9]{1,9})?)", aux[i])
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

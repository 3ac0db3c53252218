"""Sort DICOM frames into stacks by where and when they are, never by name (PS3.3 C.7.6.2).

Slices are found along the normal, phases within each slice. Slice thickness and the spacing that a
scanner writes are no distances between slices; a series' description is no plane; a series may be
one slice of a stack, or hold two. A cine's phases are shares of its own cycle: the slices of a
stack were taken in beats of different length.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from isosoma.core.errors import FormatError
from isosoma.core.study import Grid
from isosoma.exchange.dicom_header import Frame, Header

__all__ = ["Refusal", "Stack", "stacks"]

Floats = npt.NDArray[np.float64]
_SAME_DIRECTION = 1e-3
_SAME_SLICE = 0.01  # [mm]
_SAME_STEP = 0.01  # of the median
_TILT = 1e-3  # sine
_SAME_PHASE = 5e-3
_LPS_TO_RAS = np.diag([-1.0, -1.0, 1.0, 1.0])


@dataclass(frozen=True, slots=True, eq=False)
class Stack:
    """Frames of one geometry.

    Attributes
    ----------
    grid : where they lie; None where the files do not say (pixels only).
    frames : [slice][phase], with the header of each.
    phases : share of the cycle, shape (phase,); zeros where nothing moves.
    periods : RR interval of each slice [s], shape (slice,); empty where nothing moves.
    decisions : what was decided, and what was left out and why.
    """

    grid: Grid | None
    frames: tuple[tuple[tuple[Header, Frame], ...], ...]
    phases: Floats
    periods: Floats
    decisions: tuple[str, ...] = ()

    @property
    def header(self) -> Header:
        """Return the header of the first frame."""
        return self.frames[0][0][0]


Pair = tuple[Header, Frame]


@dataclass(frozen=True, slots=True, eq=False)
class Refusal:
    """Frames that make no volume: slices or phases missing, doubled, unevenly spaced, or tilted.

    Attributes
    ----------
    header : of one of them.
    pictures : how many frames they are.
    error : why, and what to do.
    """

    header: Header
    pictures: int
    error: FormatError


def stacks(headers: Iterable[Header]) -> tuple[list[Stack], list[Refusal]]:
    """Return the stacks of files in any order, largest first, and what makes no stack.

    A localizer whose planes lie anyhow takes nothing from the cine beside it.
    """
    pairs = [(h, f) for h in headers for f in h.frames]
    placed = [p for p in pairs if p[1].orientation and p[1].position and p[1].spacing]
    square, refused = _square(_alike(placed))
    made = list[Stack]()
    for group in _merged(square):
        try:
            made.append(_stack(group))
        except FormatError as error:
            refused.append(Refusal(group[0][0], len(group), error))
    made += _pixels_only([p for p in pairs if not (p[1].orientation and p[1].position
                                                   and p[1].spacing)])  # fmt: skip
    made.sort(key=lambda s: (-len(s.frames) * len(s.frames[0]), s.header.number))
    return made, sorted(refused, key=lambda r: (-r.pictures, r.header.number))


def _square(groups: list[list[Pair]]) -> tuple[list[list[Pair]], list[Refusal]]:
    """Part groups whose rows and columns are at right angles from those that have no normal."""
    square, refused = list[list[Pair]](), list[Refusal]()
    for group in groups:
        try:
            _normal(group[0][1])
        except FormatError as error:
            refused.append(Refusal(group[0][0], len(group), error))
        else:
            square.append(group)
    return square, refused


def _normal(frame: Frame) -> Floats:
    row, column = np.array(frame.orientation[:3]), np.array(frame.orientation[3:])
    normal = np.cross(row, column)
    if abs(np.linalg.norm(normal) - 1.0) > _SAME_DIRECTION * 10:
        said = "its rows and columns are not at right angles"
        raise FormatError(said, frame.file.name, "The orientation is wrong: export it again")
    return normal / np.linalg.norm(normal)


def _same(a: Sequence[float], b: Sequence[float], tolerance: float) -> bool:
    return all(abs(x - y) <= tolerance for x, y in zip(a, b, strict=True))


def _key(pair: Pair) -> tuple[object, ...]:
    """Return what frames of one series must share exactly."""
    h, f = pair
    echo, b_value = (None if math.isnan(v) else v for v in (f.echo, f.b_value))
    kind = tuple(k for k in h.kind[:3] if k not in ("DERIVED", "ORIGINAL"))
    return (h.study, h.series, h.frame_of_reference, h.modality, h.rows, h.columns, kind, echo,
            b_value)  # fmt: skip


def _alike(pairs: Iterable[Pair]) -> list[list[Pair]]:
    """Split the frames of each series by orientation, spacing, echo and weighting."""
    exact = defaultdict[tuple[object, ...], list[Pair]](list)
    for pair in pairs:
        exact[_key(pair)].append(pair)
    out = list[list[Pair]]()
    for group in exact.values():
        parts = list[list[Pair]]()
        for pair in group:
            _join(parts, pair)
        out += parts
    return out


def _join(parts: list[list[Pair]], pair: Pair) -> None:
    """Put a frame to the part whose geometry it shares, or begin one."""
    for part in parts:
        if _parallel(part[0], pair):
            part.append(pair)
            return
    parts.append([pair])


def _parallel(one: Pair, other: Pair) -> bool:
    a, b = one[1], other[1]
    return _same(a.orientation, b.orientation, _SAME_DIRECTION) and _same(
        a.spacing, b.spacing, _SAME_STEP * a.spacing[0]
    )


def _places(group: list[Pair]) -> dict[float, list[Pair]]:
    """Return the frames at each coordinate along the normal [mm]."""
    out = dict[float, list[Pair]]()
    normal = _normal(group[0][1])
    for pair in group:
        q = float(np.dot(pair[1].position, normal))
        near = next((k for k in out if abs(k - q) <= _SAME_SLICE), None)
        out.setdefault(q if near is None else near, []).append(pair)
    return dict(sorted(out.items()))


def _merged(groups: list[list[Pair]]) -> list[list[Pair]]:
    """Put series together that are slices of one stack: one slice each, alike in all else."""
    out, bundles = list[list[Pair]](), list[dict[float, list[Pair]]]()
    for group in groups:
        here, *others = _places(group)
        if others:
            out.append(group)
            continue
        mate = next((b for b in bundles if _one_stack(b, group, here)), None)
        if mate is None:
            bundles.append({here: group})
        else:
            mate[here] = group
    return [*out, *([pair for group in bundle.values() for pair in group] for bundle in bundles)]


def _one_stack(bundle: dict[float, list[Pair]], group: list[Pair], here: float) -> bool:
    """Whether a series at `here` [mm] is a further slice of a bundle of slices by their place."""
    slice_ = next(iter(bundle.values()))
    first, other = slice_[0], group[0]
    return (
        _key(first)[2:6] == _key(other)[2:6]
        and first[0].study == other[0].study
        and bool(first[0].frame_of_reference)
        and len(slice_) == len(group)
        and _parallel(first, other)
        and all(abs(q - here) > _SAME_SLICE for q in bundle)
    )


@dataclass(slots=True)
class _Notes:
    """What was decided while a stack was made."""

    lines: list[str] = field(default_factory=list[str])

    def say(self, line: str) -> None:
        """Keep a sentence."""
        self.lines.append(line)


def _stack(group: list[Pair]) -> Stack:
    notes = _Notes()
    places = _places(_without_copies(group, notes))
    frames = _phases_of(places, notes)
    coordinates = np.array(list(places))
    grid = _grid([row[0] for row in frames], coordinates, notes)
    phases, periods = _cycle(frames, notes)
    series = {h.series for row in frames for h, _ in row}
    if len(series) > 1:
        notes.say(f"{len(series)} series are slices of one stack")
    return Stack(grid, tuple(map(tuple, frames)), phases, periods, tuple(notes.lines))


def _without_copies(group: list[Pair], notes: _Notes) -> list[Pair]:
    """Leave out files that were sent twice; two different ones of one name are refused later."""
    out = dict[tuple[str, int], Pair]()
    for pair in sorted(group, key=lambda p: (p[1].order, p[1].file.name)):
        named = pair[0].instance or str(pair[1].file)
        out.setdefault((named, pair[1].number), pair)
    if len(out) < len(group):
        notes.say(f"{len(group) - len(out)} copies of pictures left out")
    return list(out.values())


def _phases_of(places: dict[float, list[Pair]], notes: _Notes) -> list[list[Pair]]:
    """Return the frames of each slice in the order of time."""
    counts = {q: len(at) for q, at in places.items()}
    usual = max(set(counts.values()), key=list(counts.values()).count)
    odd = [f"{q:.1f} mm has {n}" for q, n in counts.items() if n != usual]
    if odd:
        name = next(iter(places.values()))[0][0].file.name
        said = f"slices hold {usual} pictures each, but {', '.join(odd[:4])}"
        raise FormatError(said, name, "Pictures are missing or doubled: export the series again")
    frames = [sorted(at, key=_moment) for at in places.values()]
    if usual > 1 and any(math.isnan(f.trigger) for _, f in frames[0]):
        notes.say("pictures at one place have no trigger time: their own order is taken")
    return frames


def _moment(pair: Pair) -> tuple[float, int, int]:
    frame = pair[1]
    return (0.0 if math.isnan(frame.trigger) else frame.trigger, frame.order, frame.number)


def _grid(slices: list[Pair], q: Floats, notes: _Notes) -> Grid:
    """Return where voxels (column, row, slice) lie, RAS [m]."""
    header, frame = slices[0]
    normal, name = _normal(frame), header.file.name
    step = _step(q, header, name, notes)
    offsets = np.array([f.position for _, f in slices]) - np.array(frame.position)
    across = offsets - np.outer(offsets @ normal, normal)
    if len(q) > 1:
        tilt = np.linalg.norm(across[-1]) / abs(q[-1] - q[0])
        if tilt > _TILT:
            angle = math.degrees(math.atan(tilt))
            said = f"its slices are shifted against each other: a gantry tilted by {angle:.1f} deg"
            raise FormatError(said, name, "Export it resampled without tilt")
    lps = np.eye(4)
    lps[:3, 0] = np.array(frame.orientation[:3]) * frame.spacing[1]
    lps[:3, 1] = np.array(frame.orientation[3:]) * frame.spacing[0]
    lps[:3, 2] = normal * step
    lps[:3, 3] = frame.position
    affine = _LPS_TO_RAS @ lps
    affine[:3] *= 1e-3
    return Grid((header.columns, header.rows, len(q)), affine, header.frame_of_reference)


def _step(q: Floats, header: Header, name: str, notes: _Notes) -> float:
    """Return the distance between slices [mm]; 1 mm is a placeholder of a single one."""
    if len(q) == 1:
        notes.say("one slice: it has no distance to a next, and no volume")
        return 1.0
    steps = np.diff(q)
    step = float(np.median(steps))
    worst = float(np.abs(steps - step).max())
    if worst > _SAME_STEP * step:
        gaps = [f"{a:.1f} to {b:.1f} mm" for a, b, d in zip(q, q[1:], steps, strict=False)
                if abs(d - step) > _SAME_STEP * step]  # fmt: skip
        said = f"slices of series {header.number} are {step:.2f} mm apart, but not {gaps[0]}"
        raise FormatError(said, name, "A slice is missing or doubled: export the series again")
    return step


def _cycle(frames: list[list[Pair]], notes: _Notes) -> tuple[Floats, Floats]:
    """Return phases [share of the cycle] and each slice's RR [s]."""
    count = len(frames[0])
    if count == 1:
        return np.zeros(1), np.zeros(0)
    shares = np.array([[f.trigger / f.interval if f.interval else math.nan for _, f in row]
                       for row in frames])  # fmt: skip
    if not np.isfinite(shares).all():
        notes.say("no trigger time or interval: phases are taken as even, of an unknown cycle")
        return np.arange(count) / count, np.zeros(0)
    if np.abs(shares - shares[0]).max() > _SAME_PHASE:
        notes.say("slices were taken at other shares of their cycle: phases are the mean of all")
    periods = np.array([row[0][1].interval for row in frames]) * 1e-3
    if np.ptp(periods) > 0.0:
        span = f"{periods.min() * 1e3:.0f} to {periods.max() * 1e3:.0f} ms"
        notes.say(f"the slices' RR intervals are {span}: they are matched by phase, not by time")
    return shares.mean(axis=0), periods


def _pixels_only(pairs: list[Pair]) -> list[Stack]:
    """Return one stack for each file without geometry: pixels, and no affine."""
    files = defaultdict[object, list[Pair]](list)
    for pair in pairs:
        files[pair[0].file].append(pair)
    said = ("it says no place of its pictures: pixels only",)
    return [
        Stack(None, (tuple(sorted(group, key=_moment)),), np.zeros(len(group)), np.zeros(0), said)
        for group in files.values()
    ]

"""The text of a program for LLVM: a function for each stage, loops over members within.

A stage is cut into pieces of moderate size, each a loop over vectors of members: a processor
overlaps work of a few hundred instructions, so that short loops let it work on several vectors at
once, where one long body is a chain of waits. What a later piece reads lies in a row behind the
program's own meanwhile.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from itertools import count

from isosoma.physics.inline import expand
from isosoma.physics.machine import BYTES, Emitter, Real, Value, assign
from isosoma.physics.program import Delay, Program, Stage, reads_and_writes

__all__ = ["PIECE", "source_of"]

_VECTOR = 128
"""Bytes in a vector of members: two of the widest registers, whose chains of waits overlap."""
PIECE = 75
"""Arithmetic operations in one loop over members."""
_OPERATION = re.compile(r"[-+*/]|min|max|sqrt|abs|<|>")
_UNIFORM = frozenset(("h", "tick"))
_STEP = re.compile(r"\bh\b")
_TAKES = "i64 %tick, double %h, ptr noalias %R, ptr noalias %D, ptr noalias readonly %depth"
_GIVES = "i64 %tick, double %h, ptr %R, ptr %D, ptr %depth"


def _expanded(stage: Stage) -> list[str]:
    """Return the lines of a stage as assignments, every call written out."""
    unique = count()
    return [
        text
        for line in stage.lines
        for text in (
            [line]
            if isinstance(line, str)
            else expand(line.function, map(str, line.takes), line.gives, unique)
        )
    ]


def _pieces(lines: list[str]) -> list[list[str]]:
    """Cut lines into pieces of at most `PIECE` operations."""
    out, size = [list[str]()], 0
    for line in lines:
        weight = len(_OPERATION.findall(line))
        if size + weight > PIECE and out[-1]:
            out.append([])
            size = 0
        out[-1].append(line)
        size += weight
    return out


@dataclass(frozen=True, slots=True)
class _Layout:
    """Where names lie: rows of the program, then scratch rows, `lanes` numbers `real` each."""

    real: Real
    lanes: int
    rows: dict[str, int]
    scratch: dict[str, int] = field(default_factory=dict[str, int])

    def emitter(self, prefix: str = "%v") -> Emitter:
        """Return an emitter of vectors, or of one member where tiles are too small for them."""
        width = _VECTOR // BYTES[self.real]
        return Emitter(width if self.lanes % width == 0 else 1, prefix, self.real)

    def offset(self, name: str) -> int:
        """Return the place of a name's first member among the numbers; a scratch row if new."""
        if name not in self.rows and name not in self.scratch:
            self.scratch[name] = len(self.rows) + len(self.scratch)
        return self.lanes * self.rows.get(name, self.scratch.get(name, 0))


def _stage(program: Program, stage: Stage, layout: _Layout) -> list[str]:
    """Return one stage as a function of its own.

    What is late is read before anything else, and kept once everything else is done.
    """
    delays = [(i, d) for i, d in enumerate(program.delays) if d.stage == stage.name]
    pieces = _pieces(_expanded(stage))
    if delays:
        first = [f"{d.gives} = {d.gives}" for _, d in delays]
        last = [f"{d.source} = {d.source}" for _, d in delays]
        pieces = [first, *pieces, last]
    touched = [reads_and_writes(p) for p in pieces]
    later = [{n for needed, _ in touched[i + 1 :] for n in needed} for i in range(len(pieces))]
    out = [f"define internal void @{stage.name}({_TAKES}) noinline nounwind {{", "entry:"]
    out += _ring_places(delays, max(stage.every, 1), layout.lanes)
    for k, (piece, (needed, written)) in enumerate(zip(pieces, touched, strict=True)):
        reads = {d.gives: i for i, d in delays} if delays and k == 0 else {}
        writes = [(i, d.source) for i, d in delays] if delays and k == len(pieces) - 1 else []
        lasting = [n for n in written if n in layout.rows or n in later[k]]
        body = _Body(layout, f"{stage.name}{k}", reads, writes)
        out += body.loop(piece, needed, [] if writes else lasting)
    return [*out, "  ret void", "}"]


def _ring_places(delays: list[tuple[int, Delay]], every: int, lanes: int) -> list[str]:
    """Return instructions for the place of this tick in each ring: %atN, in numbers."""
    out = list[str]()
    for i, _ in delays:
        out += [
            f"  %p{i} = getelementptr i64, ptr %depth, i64 {2 * i}",
            f"  %n{i} = load i64, ptr %p{i}",
            f"  %q{i} = getelementptr i64, ptr %depth, i64 {2 * i + 1}",
            f"  %s{i} = load i64, ptr %q{i}",
            f"  %t{i} = udiv i64 %tick, {every}",
            f"  %m{i} = urem i64 %t{i}, %n{i}",
            f"  %u{i} = add i64 %s{i}, %m{i}",
            f"  %at{i} = mul i64 %u{i}, {lanes}",
        ]
    return out


@dataclass(frozen=True, slots=True)
class _Body:
    """One piece: `reads` (name to ring) come from rings, `writes` (ring, name) go there."""

    layout: _Layout
    label: str
    reads: dict[str, int]
    writes: list[tuple[int, str]]

    def loop(self, piece: list[str], needed: list[str], lasting: list[str]) -> list[str]:
        """Return the loop over members, a vector at a time; straight on where one holds all."""
        lanes, label = self.layout.lanes, self.label
        at = self.layout.emitter(f"%{label}_")
        names = self._loaded(at, needed, piece)

        def known(name: str) -> Value:
            return names[name]

        for line in piece:
            name, value = assign(at, line, known)
            names[name] = value
        for name in lasting:
            at.store(names[name], self._row(at, name))
        for i, name in self.writes:
            at.store(names[name], self._ring(at, i))
        if lanes == at.width:
            return [line.replace(f"%{label}.j", "0") for line in at.lines]
        return [
            f"  br label %{label}.before", f"{label}.before:", f"  br label %{label}", f"{label}:",
            f"  %{label}.j = phi i64 [ 0, %{label}.before ], [ %{label}.next, %{label} ]",
            *at.lines,
            f"  %{label}.next = add nuw nsw i64 %{label}.j, {at.width}",
            f"  %{label}.more = icmp ult i64 %{label}.next, {lanes}",
            f"  br i1 %{label}.more, label %{label}, label %{label}.done", f"{label}.done:",
        ]  # fmt: skip

    def _loaded(self, at: Emitter, needed: list[str], piece: list[str]) -> dict[str, Value]:
        rows = [n for n in needed if n not in _UNIFORM and n not in self.reads]
        names = {n: at.load(self._row(at, n)) for n in rows}
        names |= {n: at.load(self._ring(at, i)) for n, i in self.reads.items()}
        if any(_STEP.search(line) for line in piece):
            names["h"] = at.spread("%h")
        return names

    def _row(self, at: Emitter, name: str) -> str:
        base = at.put(f"getelementptr {at.real}, ptr %R, i64 %{self.label}.j")
        return at.put(f"getelementptr {at.real}, ptr {base}, i64 {self.layout.offset(name)}")

    def _ring(self, at: Emitter, ring: int) -> str:
        base = at.put(f"getelementptr {at.real}, ptr %D, i64 %{self.label}.j")
        return at.put(f"getelementptr {at.real}, ptr {base}, i64 %at{ring}")


def _ticks(program: Program) -> list[str]:
    """Return the function that runs every stage when it is due."""
    begin = "i64 %tick0, i64 %tick1, double %h, ptr noalias %R, ptr noalias %D, ptr noalias %depth"
    once = _GIVES.replace("%tick", "%tick0")
    out = [f"define void @run({begin}) nounwind {{", "entry:"]
    out += [f"  call void @{s.name}({once})" for s in program.stages if s.every == 0]
    out += ["  br label %head", "head:",
            "  %tick = phi i64 [ %tick0, %entry ], [ %next, %tail ]",
            "  %more = icmp slt i64 %tick, %tick1",
            "  br i1 %more, label %body, label %done", "body:"]  # fmt: skip
    for s in program.stages:
        call = f"  call void @{s.name}({_GIVES})"
        if s.every == 1:
            out.append(call)
        elif s.every > 1:
            out += [f"  %r.{s.name} = urem i64 %tick, {s.every}",
                    f"  %d.{s.name} = icmp eq i64 %r.{s.name}, 0",
                    f"  br i1 %d.{s.name}, label %do.{s.name}, label %past.{s.name}",
                    f"do.{s.name}:", call,
                    f"  br label %past.{s.name}", f"past.{s.name}:"]  # fmt: skip
    return [*out, "  br label %tail", "tail:", "  %next = add nsw i64 %tick, 1",
            "  br label %head", "done:", "  ret void", "}"]  # fmt: skip


def source_of(program: Program, lanes: int, real: Real = "double") -> tuple[str, int]:
    """Return the text of the kernel for LLVM, and how many rows it needs in all."""
    layout = _Layout(real, lanes, {row: i for i, row in enumerate(program.rows)})
    parts = [line for s in program.stages for line in _stage(program, s, layout)]
    text = "\n".join([layout.emitter().declarations(), *parts, *_ticks(program), ""])
    return text, len(program.rows) + len(layout.scratch)

"""Arithmetic lines as LLVM's text: what a compiler of processors reads.

A value is a vector of members (`<16 x double>`, or `double` where there is one; of `float` in
single precision) or a vector of truths. Lines hold numbers, names, + - * /, small whole powers,
min, max, abs, sqrt, comparisons and ``a if c else b``; anything else is refused. Arithmetic is
strict: no reordering. A product within a sum is one fused operation of IEEE 754, always, so that
every machine gives the same bits.
"""

from __future__ import annotations

import ast
import math
import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

import numpy as np

from isosoma.core.errors import ModelError

__all__ = ["BYTES", "Emitter", "Real", "Value", "assign"]

Real = Literal["double", "float"]
"""LLVM's names of IEEE 754's binary64 and binary32."""
BYTES: Mapping[Real, int] = MappingProxyType({"double": 8, "float": 4})

_ARITHMETIC: dict[type[ast.operator], str] = {
    ast.Add: "fadd", ast.Sub: "fsub", ast.Mult: "fmul", ast.Div: "fdiv",
}  # fmt: skip
_COMPARISON: dict[type[ast.cmpop], str] = {
    ast.Lt: "olt", ast.LtE: "ole", ast.Gt: "ogt", ast.GtE: "oge", ast.Eq: "oeq", ast.NotEq: "une",
}  # fmt: skip
_LARGEST_POWER = 16
_ONE = {"np.sqrt": "sqrt", "abs": "fabs", "np.abs": "fabs", "np.log": "log"}
"""Functions of one number; the logarithm is the C library's, member by member, and slow."""


@dataclass(frozen=True, slots=True)
class Value:
    """A name of LLVM's, or a constant; `truth`: of comparisons."""

    text: str
    truth: bool = False


class Emitter:
    """Gathers instructions in order.

    Attributes
    ----------
    real, numbers, truths : LLVM's types of one number, of a value and of a comparison.
    suffix : how LLVM's own functions of such values end.
    lines : the instructions so far.
    """

    def __init__(self, width: int, prefix: str = "%v", real: Real = "double") -> None:
        """Begin with no instruction; values hold `width` members, names begin with `prefix`."""
        self.width, self.prefix = width, prefix
        self.real: Real = real
        bits = 8 * BYTES[real]
        self.numbers = real if width == 1 else f"<{width} x {real}>"
        self.truths = "i1" if width == 1 else f"<{width} x i1>"
        self.suffix = f"f{bits}" if width == 1 else f"v{width}f{bits}"
        self.lines: list[str] = []
        self._next = 0

    def put(self, instruction: str) -> str:
        """Append an instruction and return the name of its result."""
        self._next += 1
        name = f"{self.prefix}{self._next}"
        self.lines.append(f"  {name} = {instruction}")
        return name

    def constant(self, value: float) -> Value:
        """Return a number, the same for all members; LLVM writes a float as the double it is."""
        near = np.float32(value) if self.real == "float" else value
        bits = f"0x{struct.unpack('>Q', struct.pack('>d', near))[0]:016X}"
        if self.width == 1:
            return Value(bits)
        return Value(f"<{', '.join([f'{self.real} {bits}'] * self.width)}>")

    def spread(self, scalar: str) -> Value:
        """Return a double of LLVM's for all members."""
        if self.real == "float":
            scalar = self.put(f"fptrunc double {scalar} to float")
        if self.width == 1:
            return Value(scalar)
        one = self.put(f"insertelement {self.numbers} poison, {self.real} {scalar}, i32 0")
        mask = f"<{self.width} x i32> zeroinitializer"
        return Value(self.put(f"shufflevector {self.numbers} {one}, {self.numbers} poison, {mask}"))

    def load(self, pointer: str) -> Value:
        """Return what lies at a pointer."""
        return Value(self.put(f"load {self.numbers}, ptr {pointer}, align {BYTES[self.real]}"))

    def store(self, value: Value, pointer: str) -> None:
        """Put a value at a pointer; a truth as 1 or 0."""
        text = self.number(value).text
        put = f"  store {self.numbers} {text}, ptr {pointer}, align {BYTES[self.real]}"
        self.lines.append(put)

    def number(self, value: Value) -> Value:
        """Return a truth as 1 or 0, and a number as it is."""
        if not value.truth:
            return value
        return self.choose(value, self.constant(1.0), self.constant(0.0))

    def truth(self, value: Value) -> Value:
        """Return whether a number is other than 0, and a truth as it is."""
        if value.truth:
            return value
        zero = self.constant(0.0).text
        return Value(self.put(f"fcmp une {self.numbers} {value.text}, {zero}"), truth=True)

    def choose(self, which: Value, yes: Value, no: Value) -> Value:
        """Return `yes` where `which`, else `no`."""
        both = f"{self.numbers} {yes.text}, {self.numbers} {no.text}"
        return Value(self.put(f"select {self.truths} {which.text}, {both}"))

    def declarations(self) -> str:
        """Return the functions of LLVM's own that calls may name."""
        one, suffix = self.numbers, self.suffix
        named = "".join(
            f"declare {one} @llvm.{name}.{suffix}({one})\n" for name in sorted(set(_ONE.values()))
        )
        return f"{named}declare {one} @llvm.fma.{suffix}({one}, {one}, {one})\n"


def assign(at: Emitter, line: str, names: Callable[[str], Value]) -> tuple[str, Value]:
    """Return the name that a line assigns, and its value.

    Raises
    ------
    ModelError
        The line holds what no kernel can.
    """
    step = ast.parse(line).body[0]
    if not isinstance(step, ast.Assign) or not isinstance(step.targets[0], ast.Name):
        raise ModelError(f"{line!r} is no plain assignment")
    return step.targets[0].id, _of(at, step.value, names)


def _of(at: Emitter, node: ast.expr, names: Callable[[str], Value]) -> Value:
    match node:
        case ast.Name(id=name):
            return names(name)
        case ast.BinOp() | ast.UnaryOp():
            return _arithmetic(at, node, names)
        case ast.Compare(left=left, ops=[op], comparators=[right]) if type(op) in _COMPARISON:
            name = f"fcmp {_COMPARISON[type(op)]}"
            return Value(_two(at, name, left, right, names).text, truth=True)
        case ast.IfExp(test=test, body=body, orelse=orelse):
            which = at.truth(_of(at, test, names))
            yes, no = (at.number(_of(at, part, names)) for part in (body, orelse))
            return at.choose(which, yes, no)
        case ast.Call(func=func, args=args):
            return _called(at, ast.unparse(func), args, names)
        case _:
            return at.constant(_number(node))


def _arithmetic(at: Emitter, node: ast.BinOp | ast.UnaryOp, names: Callable[[str], Value]) -> Value:
    match node:
        case ast.BinOp(left=left, op=ast.Add() | ast.Sub() as op, right=right):
            return _sum(at, left, right, isinstance(op, ast.Sub), names)
        case ast.BinOp(left=left, op=op, right=right) if type(op) in _ARITHMETIC:
            return _two(at, _ARITHMETIC[type(op)], left, right, names)
        case ast.BinOp(left=left, op=ast.Pow(), right=ast.Constant(value=int() as power)):
            return _power(at, at.number(_of(at, left, names)), power, node)
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            return _negated(at, operand, names)
        case ast.UnaryOp(op=ast.UAdd(), operand=operand):
            return _of(at, operand, names)
        case _:
            raise ModelError(f"{ast.unparse(node)} cannot be made into a kernel")


def _sum(
    at: Emitter, left: ast.expr, right: ast.expr, minus: bool, names: Callable[[str], Value]
) -> Value:
    """Return a sum; one with a product in it is rounded once, as every processor's fma does."""
    first = _is_product(left)
    if (not first and not _is_product(right)) or _folded(left, right, "fadd"):
        return _two(at, "fsub" if minus else "fadd", left, right, names)
    product, other = (left, right) if first else (right, left)
    if not isinstance(product, ast.BinOp):
        raise ModelError(f"{ast.unparse(product)} is no product")
    a = at.number(_of(at, product.left, names))
    b = at.number(_of(at, product.right, names))
    c = at.number(_of(at, other, names))
    if minus and first:
        c = Value(at.put(f"fneg {at.numbers} {c.text}"))
    elif minus:
        a = Value(at.put(f"fneg {at.numbers} {a.text}"))
    takes = ", ".join(f"{at.numbers} {v.text}" for v in (a, b, c))
    return Value(at.put(f"call {at.numbers} @llvm.fma.{at.suffix}({takes})"))


def _is_product(node: ast.expr) -> bool:
    """Whether a node is a product of two that are not both constants."""
    return (
        isinstance(node, ast.BinOp)
        and isinstance(node.op, ast.Mult)
        and _folded(node.left, node.right, "fmul") is None
    )


def _two(
    at: Emitter, name: str, left: ast.expr, right: ast.expr, names: Callable[[str], Value]
) -> Value:
    if folded := _folded(left, right, name):
        return at.constant(folded[0])
    a, b = (at.number(_of(at, part, names)).text for part in (left, right))
    return Value(at.put(f"{name} {at.numbers} {a}, {b}"))


def _power(at: Emitter, base: Value, power: int, node: ast.expr) -> Value:
    """Return a small whole power by repeated squaring."""
    if not 1 <= power <= _LARGEST_POWER:
        raise ModelError(f"{ast.unparse(node)} cannot be made into a kernel")
    made: Value | None = None
    while power:
        if power & 1:
            made = base if made is None else _times(at, made, base)
        power >>= 1
        base = _times(at, base, base) if power else base
    return made or base


def _times(at: Emitter, a: Value, b: Value) -> Value:
    return Value(at.put(f"fmul {at.numbers} {a.text}, {b.text}"))


def _negated(at: Emitter, operand: ast.expr, names: Callable[[str], Value]) -> Value:
    if isinstance(operand, ast.Constant) and isinstance(operand.value, int | float):
        return at.constant(-float(operand.value))
    of = at.number(_of(at, operand, names)).text
    return Value(at.put(f"fneg {at.numbers} {of}"))


def _called(at: Emitter, name: str, args: list[ast.expr], names: Callable[[str], Value]) -> Value:
    given = [at.number(_of(at, a, names)) for a in args]
    if name in _ONE and len(given) == 1:
        call = f"call {at.numbers} @llvm.{_ONE[name]}.{at.suffix}"
        return Value(at.put(f"{call}({at.numbers} {given[0].text})"))
    if name in ("min", "max") and len(given) >= 2:
        order = "olt" if name == "min" else "ogt"
        first, *rest = given
        for other in rest:  # as Python has it: the first, unless another is beyond it
            test = at.put(f"fcmp {order} {at.numbers} {other.text}, {first.text}")
            first = at.choose(Value(test, truth=True), other, first)
        return first
    raise ModelError(f"{name} of {len(args)} values cannot be made into a kernel")


def _number(node: ast.expr) -> float:
    """Return the value of a constant; raises ModelError where it is none of a kernel."""
    match node:
        case ast.Attribute(value=ast.Name(id="np"), attr="pi"):
            return math.pi
        case ast.Constant(value=int() | float() as value) if not isinstance(value, bool):
            return float(value)
        case _:
            raise ModelError(f"{ast.unparse(node)} cannot be made into a kernel")


def _folded(left: ast.expr, right: ast.expr, name: str) -> tuple[float] | None:
    """Return the value of two constants, as Python computes it; None where they are none."""
    pair = (left, right)
    if not all(isinstance(n, ast.Constant) and isinstance(n.value, int | float) for n in pair):
        return None
    a, b = (float(n.value) for n in pair if isinstance(n, ast.Constant))  # type: ignore[arg-type]
    made: Mapping[str, Callable[[], float]] = {
        "fadd": lambda: a + b, "fsub": lambda: a - b, "fmul": lambda: a * b, "fdiv": lambda: a / b,
    }  # fmt: skip
    return (made[name](),) if name in made and not (name == "fdiv" and b == 0.0) else None

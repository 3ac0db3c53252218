"""The style ratchet: measures src/ without tests against STYLE's numbers and fails where worse.

Function length is counted in lines without the docstring; a file's in lines. The table is printed
either way, so that a trend is seen before it becomes a failure.
"""

from __future__ import annotations

import ast
import math
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

SOURCE = Path(__file__).resolve().parents[1] / "src" / "isosoma"
MAY_PRINT = "serve"
Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True, slots=True)
class Limits:
    """What the tree must keep: percentiles over all of it, maxima for each piece."""

    function_p90: int = 30
    file_p90: int = 400
    file_max: int = 800
    methods_max: int = 12


@dataclass(frozen=True, slots=True)
class Source:
    """One parsed module."""

    path: Path
    tree: ast.Module
    lines: int

    @property
    def room(self) -> str:
        """First folder below the package, or the file itself."""
        return self.path.relative_to(SOURCE).parts[0]


def is_test(path: Path) -> bool:
    """Whether a file is a test beside its module rather than product."""
    return path.name.startswith("test_") or path.name == "conftest.py"


def read_sources(folder: Path = SOURCE) -> list[Source]:
    """Parse every product module below `folder`."""
    found = []
    for path in sorted(folder.rglob("*.py")):
        if not is_test(path):
            text = path.read_text(encoding="utf-8")
            found.append(Source(path, ast.parse(text, str(path)), text.count("\n")))
    return found


def function_length(node: Function) -> int:
    """Lines of a function from `def` to its end, its docstring not counted."""
    length = (node.end_lineno or node.lineno) - node.lineno + 1
    if ast.get_docstring(node, clean=False) is not None:
        doc = node.body[0]
        length -= (doc.end_lineno or doc.lineno) - doc.lineno + 1
    return length


def percentile(values: list[int], share: float) -> int:
    """Smallest value that at least `share` [1] of `values` do not exceed; 0 for none."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(len(ordered) * share) - 1)] if ordered else 0


def functions(source: Source) -> Iterator[Function]:
    """Every function and method of a module, nested ones too."""
    for node in ast.walk(source.tree):
        if isinstance(node, Function):
            yield node


def unannotated(node: Function) -> list[str]:
    """Names of parameters without a type, `self` and `cls` excepted."""
    spec = node.args
    every = [*spec.posonlyargs, *spec.args, *spec.kwonlyargs, spec.vararg, spec.kwarg]
    names = [a.arg for a in every if a is not None and a.annotation is None]
    return [name for name in names if name not in ("self", "cls")]


def is_silent(handler: ast.ExceptHandler) -> bool:
    """Whether an `except` is bare, or catches everything and says nothing."""
    caught = handler.type
    broad = isinstance(caught, ast.Name) and caught.id in ("Exception", "BaseException")
    empty = all(isinstance(step, ast.Pass) for step in handler.body)
    return caught is None or (broad and empty)


def faults_of_node(node: ast.AST, may_print: bool, limits: Limits) -> Iterator[str]:
    """Sentences on what a single node may not be."""
    match node:
        case ast.Global():
            yield "`global` hides state; pass it as an argument"
        case ast.Call(func=ast.Name(id="print")) if not may_print:
            yield "`print` belongs to serve; return the value or raise"
        case ast.ExceptHandler() if is_silent(node):
            yield "a silent `except` drops what happened; name the error and act on it"
        case ast.ClassDef():
            methods = sum(isinstance(part, Function) for part in node.body)
            if methods > limits.methods_max:
                yield f"class {node.name} has {methods} methods (limit {limits.methods_max})"
        case ast.FunctionDef() | ast.AsyncFunctionDef():
            missing = unannotated(node)
            if missing:
                yield f"{node.name} leaves {', '.join(missing)} without a type"
        case _:
            return


def faults(sources: list[Source], limits: Limits) -> list[str]:
    """Every fault as `file:line: sentence`."""
    found: list[str] = []
    for source in sources:
        shown = source.path.relative_to(SOURCE.parents[1]).as_posix()
        if source.lines > limits.file_max:
            found.append(
                f"{shown}:1: {source.lines} lines (limit {limits.file_max}); split by noun"
            )
        for node in ast.walk(source.tree):
            line = getattr(node, "lineno", 1)
            may_print = source.room == MAY_PRINT
            found += [f"{shown}:{line}: {f}" for f in faults_of_node(node, may_print, limits)]
    return found


def spread(values: list[int]) -> str:
    """Median, 90th percentile and maximum, as the table shows them."""
    half, most = percentile(values, 0.5), percentile(values, 0.9)
    return f"{half:>8} /{most:>4} /{max(values, default=0):>4}"


def row(name: str, sources: list[Source]) -> str:
    """One line of the table: lengths of functions and files, parameters with a type."""
    lengths = [function_length(f) for s in sources for f in functions(s)]
    files = [s.lines for s in sources]
    of_functions, of_files = spread(lengths), spread(files)
    return f"{name:<12}{len(files):>6}{sum(files):>8}{len(lengths):>11}{of_functions}{of_files}"


def lines_of_tests(folder: Path = SOURCE) -> int:
    """Lines of unit tests beside the modules and of the flow tests in tests/."""
    beside = [p for p in folder.rglob("*.py") if is_test(p)]
    flows = (folder.parents[1] / "tests").rglob("*.py")
    return sum(p.read_text(encoding="utf-8").count("\n") for p in [*beside, *flows])


def report(sources: list[Source], limits: Limits) -> tuple[str, list[str]]:
    """The table over rooms, and what fails."""
    head = f"{'room':<12}{'files':>6}{'lines':>8}{'functions':>11}  median / p90 / max   file same"
    rooms = sorted({s.room for s in sources if not s.room.endswith(".py")})
    lines = [head, *(row(r, [s for s in sources if s.room == r]) for r in rooms)]
    total = sum(s.lines for s in sources)
    share = lines_of_tests() / total if total else 0.0
    lines += [row("all", sources), f"tests : source {share:.2f}"]
    found = faults(sources, limits)
    p90 = percentile([function_length(f) for s in sources for f in functions(s)], 0.9)
    if p90 > limits.function_p90:
        found.append(f"p90 of function lengths is {p90} lines (limit {limits.function_p90})")
    file_p90 = percentile([s.lines for s in sources], 0.9)
    if file_p90 > limits.file_p90:
        found.append(f"p90 of file lengths is {file_p90} lines (limit {limits.file_p90})")
    return "\n".join(lines), found


def main() -> int:
    """Print the table and the faults; 1 where there is any."""
    table, found = report(read_sources(), Limits())
    print(table)
    for fault in found:
        print(fault, file=sys.stderr)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())

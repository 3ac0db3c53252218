"""Write the body of a scalar function where it is called, as text.

Elements and controllers are plain functions: assignments, then one return. A kernel must hold
their arithmetic itself, since a call inside the member loop would keep it from being vectorised.
"""

from __future__ import annotations

import ast
import inspect
import textwrap
from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache
from itertools import count
from typing import Any

from isosoma.core.errors import ModelError

__all__ = ["Function", "expand", "parts_of"]

Function = Callable[..., Any]
_KEPT = frozenset(("np", "min", "max", "abs"))


@lru_cache(maxsize=512)
def _parsed(function: Function) -> tuple[tuple[str, ...], tuple[ast.stmt, ...], ast.expr]:
    """Return parameters, assignments and returned expression of a function.

    Raises
    ------
    ModelError
        It holds anything else: a loop, a branch, a default.
    """
    tree = ast.parse(textwrap.dedent(inspect.getsource(function))).body[0]
    where = f"{function.__module__}.{function.__name__}"
    if not isinstance(tree, ast.FunctionDef) or tree.args.defaults or tree.args.kwonlyargs:
        raise ModelError("a kernel function has plain parameters", where)
    body = tree.body[1:] if ast.get_docstring(tree) else tree.body
    *steps, last = body
    plain = all(isinstance(s, ast.Assign) and len(s.targets) == 1 for s in steps)
    if not plain or not isinstance(last, ast.Return) or last.value is None:
        raise ModelError("a kernel function is assignments and one return", where)
    return tuple(a.arg for a in tree.args.args), tuple(steps), last.value


def parts_of(function: Function) -> dict[str, Function]:
    """Return the functions of ours that `function` calls, by the name it uses."""
    _, steps, last = _parsed(function)
    space = function.__globals__
    names = {n.id for s in (*steps, last) for n in ast.walk(s) if isinstance(n, ast.Name)}
    return {n: space[n] for n in sorted(names - _KEPT) if inspect.isfunction(space.get(n))}


class _Renamed(ast.NodeTransformer):
    """Puts names in place of names, module constants in place of theirs, and lifts calls out."""

    def __init__(
        self,
        names: Mapping[str, ast.expr],
        function: Function,
        lines: list[str],
        unique: count[int],
    ) -> None:
        self.names, self.space = names, function.__globals__
        self.parts, self.lines, self.unique = parts_of(function), lines, unique

    def visit_Name(self, node: ast.Name) -> ast.expr:
        """Rename a local; write a module's number in its place."""
        if node.id in self.names:
            return self.names[node.id]
        value = self.space.get(node.id)
        if isinstance(value, int | float):
            return ast.Constant(value)
        return node

    def visit_Call(self, node: ast.Call) -> ast.expr:
        """Expand a call of ours before the line it stands in."""
        self.generic_visit(node)
        if not isinstance(node.func, ast.Name) or node.func.id not in self.parts:
            return node
        name = f"t{next(self.unique)}"
        takes = [ast.unparse(a) for a in node.args]
        self.lines += expand(self.parts[node.func.id], takes, [name], self.unique)
        return ast.Name(name, ast.Load())


def expand(
    function: Function, takes: Iterable[str], gives: Iterable[str], unique: count[int]
) -> list[str]:
    """Return lines that compute ``gives = function(*takes)``.

    Parameters
    ----------
    takes : an expression for each parameter.
    unique : numbers for the names of its locals.
    """
    parameters, steps, last = _parsed(function)
    given, wanted = list(takes), list(gives)
    if len(given) != len(parameters):
        raise ModelError(f"{function.__name__} takes {len(parameters)} values, not {len(given)}")
    names: dict[str, ast.expr] = {
        p: ast.parse(f"({g})", mode="eval").body for p, g in zip(parameters, given, strict=True)
    }
    lines: list[str] = []
    for step in steps:
        target = step.targets[0] if isinstance(step, ast.Assign) else None
        value = _Renamed(names, function, lines, unique).visit(_copy(step.value))  # type: ignore[attr-defined]
        local = f"{target.id}_{next(unique)}" if isinstance(target, ast.Name) else ""
        if not local or not isinstance(target, ast.Name):
            raise ModelError(f"{function.__name__} assigns to something else than a name")
        lines.append(f"{local} = {ast.unparse(value)}")
        names = {**names, target.id: ast.Name(local, ast.Load())}
    result = _Renamed(names, function, lines, unique).visit(_copy(last))
    values = result.elts if isinstance(result, ast.Tuple) else [result]
    if len(values) != len(wanted):
        raise ModelError(f"{function.__name__} gives {len(values)} values, not {len(wanted)}")
    if len(wanted) == 1:
        return [*lines, f"{wanted[0]} = {ast.unparse(values[0])}"]
    temporary = [f"r{next(unique)}" for _ in wanted]  # a result may feed another: assign at the end
    lines += [f"{t} = {ast.unparse(v)}" for t, v in zip(temporary, values, strict=True)]
    return lines + [f"{w} = {t}" for w, t in zip(wanted, temporary, strict=True)]


def _copy(node: ast.expr) -> ast.expr:
    return ast.parse(ast.unparse(node), mode="eval").body

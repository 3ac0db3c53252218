"""`isosoma models`: what exists, what it may be asked, its cases, parameters and acts."""

from __future__ import annotations

import argparse
import json
import math
import pkgutil
import tomllib
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import isosoma
from isosoma.core.errors import VocabularyError
from isosoma.core.model import Model, Parameter
from isosoma.core.prior import Fixed, LogNormal

__all__ = ["cases_of", "every_model", "run"]

CASES = Path(isosoma.__file__).resolve().parents[2] / "cases"
"""Published cases lie beside the package in a checkout; an installed wheel has none."""


def every_model() -> Iterator[Model]:
    """Yield every model of every organ: the objects listed as `MODELS`."""
    organs = import_module("isosoma.organs")
    for found in pkgutil.walk_packages(organs.__path__, "isosoma.organs."):
        if not found.name.rpartition(".")[2].startswith(("test_", "conftest")):
            yield from getattr(import_module(found.name), "MODELS", ())


def cases_of(model: Model) -> Iterator[tuple[Path, dict[str, Any]]]:
    """Yield the published cases of a model with what they say, in order of their names."""
    for path in sorted(CASES.glob("*.toml")):
        case = tomllib.loads(path.read_text("utf-8"))
        if case.get("model") == model.name:
            yield path, case


def run(arguments: argparse.Namespace) -> int:
    """Tell about models; with `--check`, 1 where a published case is missed."""
    models = {m.name: m for m in every_model()}
    if arguments.name and arguments.name not in models:
        matching = [n for n in models if n.rpartition(".")[2] == arguments.name]
        if not matching:
            raise VocabularyError(
                f"there is no model {arguments.name!r}", todo=f"There are {', '.join(models)}"
            )
        arguments.name = matching[0]
    chosen = [m for n, m in models.items() if arguments.name in ("", n)]
    told = [_told(m, arguments.check) for m in chosen]
    if arguments.json:
        print(json.dumps(told, allow_nan=False))
    else:
        print("\n\n".join("\n".join(_lines(t, arguments)) for t in told))
    return 1 if any(c.get("passed") is False for t in told for c in t["cases"]) else 0


def _told(model: Model, check: bool) -> dict[str, Any]:
    use = model.intended_use
    cases = [_case(path, case, check) for path, case in cases_of(model)]
    return {
        "name": model.name,
        "version": model.version,
        "step": model.step,
        "question": use.question,
        "context": use.context,
        "not_for": use.not_for,
        "influence": use.influence,
        "consequence": use.consequence,
        "cases_shipped": CASES.is_dir(),
        "cases": cases,
        "acts": _acts(model),
        "parameters": [_parameter(p) for p in model.parameters],
        "inputs": [{"name": p.name, "unit": p.unit, "rest": p.rest} for p in model.inputs],
        "outputs": [{"name": p.name, "unit": p.unit} for p in model.outputs],
    }


def _case(path: Path, case: dict[str, Any], check: bool) -> dict[str, Any]:
    numbers = len(case.get("expected", {})) + len(case.get("change", {}))
    out = {"file": path.name, "source": str(case.get("source", "")), "numbers": numbers}
    if check:
        from isosoma.organs.circulation.published import run_case

        missed = [f.quantity for f in run_case(path) if not f.passed]
        out |= {"passed": not missed, "missed": missed}
    return out


def _acts(model: Model) -> list[dict[str, Any]]:
    """Return what can be done to a model; so far the circulation has acts."""
    if model.name != "organs.circulation":
        return []
    from isosoma.organs.circulation.act_table import ACTS
    from isosoma.organs.circulation.acts import form

    return [
        {
            "act": form(row).removeprefix("Say it as: "),
            "also": list(row.also),
            "role": row.role,
            "meaning": row.meaning,
            "system": row.coding.system,
            "code": row.coding.code,
            "display": row.coding.display,
        }
        for row in ACTS.values()
    ]


def _parameter(p: Parameter) -> dict[str, Any]:
    """Return a parameter with its prior in the unit people print it in."""
    from isosoma.core.units import from_si
    from isosoma.organs.circulation.parameters import PARAMETERS, meaning, shown

    unit = shown(p.name) if p.name in PARAMETERS else p.unit
    prior: dict[str, Any] = {"kind": type(p.prior).__name__}
    if isinstance(p.prior, LogNormal):
        prior |= {"median": from_si(p.prior.median, unit), "spread": p.prior.sd}
    elif isinstance(p.prior, Fixed):
        prior |= {"value": from_si(p.prior.value, unit)}
    return {
        "name": p.name,
        "unit": unit,
        "prior": prior,
        "scope": p.scope,
        "meaning": meaning(p.name) if p.name in PARAMETERS else "",
        "source": p.source.text,
        "doi": p.source.doi,
        "verified": p.source.verified,
    }


def _lines(told: dict[str, Any], arguments: argparse.Namespace) -> Iterator[str]:
    yield f"{told['name']} {told['version']}, step {1e3 * told['step']:g} ms"
    for key in ("question", "context", "not_for"):
        yield f"  {key.replace('_', ' ') + ':':10}{told[key]}"
    yield from _case_lines(told)
    counts = {k: len(told[k]) for k in ("parameters", "acts", "outputs")}
    words = "{parameters} parameters (--parameters), {acts} acts (--acts), {outputs} outputs"
    yield f"  {words.format(**counts)}"
    if arguments.acts:
        yield from (f"  {a['act']}\n      {a['meaning']} [{a['role']}]" for a in told["acts"])
    if arguments.parameters:
        yield from map(_parameter_line, told["parameters"])


def _case_lines(told: dict[str, Any]) -> Iterator[str]:
    if not told["cases_shipped"]:
        yield "  published cases lie in the source checkout, not in this installation"
        return
    checked = [c for c in told["cases"] if "passed" in c]
    passed = sum(c["passed"] for c in checked)
    total = len(told["cases"])
    yield (
        f"  {passed} of {total} cases passed" if checked else f"  {total} cases (--check runs them)"
    )
    for case in told["cases"]:
        name = case["file"].removesuffix(".toml").replace("_", " ")
        said = {True: "ok      ", False: "MISSED  "}.get(case.get("passed"), "")
        missed = f" (missed: {', '.join(case['missed'])})" if case.get("missed") else ""
        yield f"    {said}{name}: {case['numbers']} numbers; {case['source']}{missed}"


def _parameter_line(p: dict[str, Any]) -> str:
    prior = p["prior"]
    middle = prior.get("median", prior.get("value", math.nan))
    spread = f" x/÷ {math.exp(prior['spread']):.2f}" if "spread" in prior else ""
    mark = "" if p["verified"] else " (unverified)"
    return f"  {p['name']:34}{middle:>10.4g} {p['unit']}{spread}; {p['source']}{mark}"

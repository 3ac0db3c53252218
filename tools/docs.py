"""Writes the pages of docs/ that are made from the code: nomenclature, command line, cases.

`--check` writes nothing and exits 1 where a page is not what the code says. Tables are made from
the parser's own actions rather than its `--help` text, which differs between Python versions.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from isosoma.core.units import convert
from isosoma.core.vocabulary import VOCABULARY, Variable
from isosoma.serve.cli import build_parser

DOCS = Path(__file__).resolve().parents[1] / "docs"
MADE = "<!-- Made by `python3 dev.py docs`; do not edit. -->\n"


def escape(text: str) -> str:
    """Text as it may stand in a cell of a Markdown table."""
    return " ".join(text.split()).replace("|", "\\|")


def number(value: float) -> str:
    """A bound without noise of the unit conversion."""
    return f"{value:.6g}"


def variable_row(row: Variable) -> str:
    """One line of the nomenclature: name, units, possible range as shown, code, meaning."""
    mass = row.molar_mass or None
    low, high = (convert(bound, row.unit, row.shown, mass) for bound in (row.low, row.high))
    span = f"{number(low)} … {number(high)}"
    cells = [f"`{row.name}`", f"`{row.unit}`", f"`{row.shown}`", span, row.loinc, row.meaning]
    return "| " + " | ".join(escape(cell) for cell in cells) + " |"


def nomenclature() -> str:
    """The nomenclature page: a name has one meaning and one unit everywhere."""
    head = (
        "# Nomenclature\n\n"
        + MADE
        + "\nEvery name has one meaning and one unit everywhere. Inside "
        "isosoma every value is in the SI unit; the shown unit is for people and files. The range "
        "[shown unit] is what is possible, not what is healthy. All units are UCUM codes.\n\n"
        "| name | SI | shown | possible | LOINC | meaning |\n|---|---|---|---|---|---|\n"
    )
    return head + "\n".join(variable_row(VOCABULARY[name]) for name in sorted(VOCABULARY)) + "\n"


def walk(parser: argparse.ArgumentParser, verb: str) -> Iterator[tuple[str, str, list[list[str]]]]:
    """Every verb below `parser`: its words, its sentence, its arguments as rows."""
    rows: list[list[str]] = []
    below: list[tuple[str, argparse.ArgumentParser]] = []
    for action in parser._actions:  # argparse has no public listing
        if isinstance(action, argparse._SubParsersAction):
            below = list(action.choices.items())
        elif not isinstance(action, argparse._HelpAction):
            rows.append([escape(argument(action)), escape(explain(action))])
    yield verb, parser.description or "", rows
    for name, inner in below:
        yield from walk(inner, f"{verb} {name}")


def argument(action: argparse.Action) -> str:
    """How an argument is written: `PATH…`, `--port PORT`."""
    value = action.metavar if isinstance(action.metavar, str) else action.dest.upper()
    if action.choices:
        value = "{" + ",".join(str(choice) for choice in action.choices) + "}"
    if not action.option_strings:
        return f"`{value}{'…' if action.nargs in ('+', '*') else ''}`"
    takes = "" if action.nargs == 0 else f" {value}{'…' if action.nargs in ('+', '*') else ''}"
    return f"`{', '.join(action.option_strings)}{takes}`"


def explain(action: argparse.Action) -> str:
    """The help of an argument with its default filled in where the help asks for it."""
    return (action.help or "").replace("%(default)s", str(action.default)).replace("%%", "%")


def command_line(parser: argparse.ArgumentParser) -> str:
    """The page of the command line: every verb with its sentence and its arguments."""
    parts = ["# Command line\n", MADE]
    for verb, sentence, rows in walk(parser, "isosoma"):
        parts += [f"## `{verb}`\n", f"{' '.join(sentence.split())}\n"]
        if rows:
            table = ["| argument | what it does |", "|---|---|"]
            parts.append("\n".join([*table, *(f"| {a} | {b} |" for a, b in rows)]) + "\n")
    return "\n".join(parts)


def case_rows(path: Path) -> Iterator[str]:
    """One line for every expected number of a published case, beside what the model gives."""
    from isosoma.organs.circulation.published import run_case

    name = path.stem.removeprefix("circulation_").replace("_", " ")
    for f in run_case(path):
        quantity = f.quantity.replace("_", " ")
        span = f"{f.low:g} … {f.high:g}"
        cells = [name, quantity, f.unit, span, f"{f.obtained:.3g}", f.source]
        yield "| " + " | ".join(escape(cell) for cell in cells) + " |"


def circulation_cases() -> str:
    """The published cases of the circulation with what is expected and what is obtained."""
    head = (
        "# Circulation: published cases\n\n" + MADE + "\nEach case is a file in `cases/`, "
        "run by a test on every change. A change is against the end of its first phase.\n\n"
        "| case | quantity | unit | expected | obtained | source |\n|---|---|---|---|---|---|\n"
    )
    cases = sorted((DOCS.parent / "cases").glob("circulation_*.toml"))
    return head + "\n".join(row for path in cases for row in case_rows(path)) + "\n"


def circulation_parameters() -> str:
    """The unknowns and constants of the circulation with unit, prior and source."""
    from isosoma.core.units import from_si
    from isosoma.organs.circulation.parameters import PARAMETERS, meaning, shown

    lines: list[str] = []
    for name, p in PARAMETERS.items():
        middle = float(p.prior.real(np.zeros(1))[0])
        spread = f"{getattr(p.prior, 'sd', 0.0):.2g}" if p.scope == "patient" else ""
        mark = "" if p.source.verified else " (unverified)"
        value = f"{from_si(middle, shown(name)):.4g}"
        cells = [
            f"`{name}`",
            value,
            f"`{shown(name)}`",
            spread,
            meaning(name),
            p.source.text + mark,
        ]
        lines.append("| " + " | ".join(escape(cell) for cell in cells) + " |")
    head = (
        "# Circulation: parameters\n\n" + MADE + "\nMedians of the reference adult of 75 kg. "
        "A spread is the standard deviation of the logarithm, of what data of one patient may "
        "revise; all others are constants of a population, scaled to the person by "
        "`isosoma.organs.circulation.body`.\n\n"
        "| name | median | unit | spread | meaning | source |\n|---|---|---|---|---|---|\n"
    )
    return head + "\n".join(lines) + "\n"


def pages() -> dict[Path, str]:
    """Every page made from the code, by its path."""
    return {
        DOCS / "nomenclature.md": nomenclature(),
        DOCS / "cli.md": command_line(build_parser()),
        DOCS / "circulation-cases.md": circulation_cases(),
        DOCS / "circulation-parameters.md": circulation_parameters(),
    }


def main(arguments: list[str]) -> int:
    """Write the pages, or with `--check` name those that are stale."""
    made = pages()
    stale = [p for p, text in made.items() if not p.is_file() or p.read_text("utf-8") != text]
    if "--check" in arguments:
        for path in stale:
            print(
                f"{path.name} is not what the code says; run python3 dev.py docs", file=sys.stderr
            )
        return 1 if stale else 0
    for path in stale:
        path.write_text(made[path], "utf-8")
        print(f"wrote docs/{path.name}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

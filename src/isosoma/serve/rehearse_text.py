"""A comparison of options in words and columns, as it stands on a terminal."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import TypeVar

from isosoma.core.evidence import Evidence, withheld
from isosoma.core.quantity import show_duration, show_unit
from isosoma.core.units import convert
from isosoma.scenario.acceptable import Choice
from isosoma.scenario.comparing import (
    Chance,
    ChanceDifference,
    Comparison,
    Difference,
    Judged,
)
from isosoma.scenario.measures import label_of, units_of

__all__ = ["table", "told"]

_AnyDifference = TypeVar("_AnyDifference", Difference, ChanceDifference)
_NAME = 22
_WIDE = 24


def table(comparison: Comparison, evidence: Evidence, choices: Sequence[Choice]) -> str:
    """Return everything that the comparison tells; no number where the model does not apply."""
    members = f"{comparison.members} members, the same for every option."
    lines = [comparison.question, f"{members} Simulated, research only."]
    verdict = evidence.applicability
    if verdict.verdict != "in":
        words = "withheld" if withheld(evidence) else "with care"
        lines += ["", f"Read {words}:" if words == "with care" else "Numbers are withheld:"]
        lines += [f"  {reason}" for reason in verdict.reasons]
    if not withheld(evidence):
        lines += ["", *_ranking(comparison), "", *_chances(comparison), "", *_measures(comparison)]
        lines += ["", *_differences(comparison), "", *_choices(choices)]
    if verdict.would_help:
        lines += ["", "What would help most:", *(f"  {h}" for h in verdict.would_help)]
    return "\n".join(lines)


def _columns(head: str, cells: Iterable[str], name: int = _NAME) -> str:
    """Return a row whose first cell is left, the others right."""
    return f"{head[:name]:<{name}}" + "".join(f"{_cut(c, _WIDE - 2):>{_WIDE}}" for c in cells)


def _cut(text: str, letters: int) -> str:
    return text if len(text) <= letters else text[: letters - 1] + "…"


def _ranking(comparison: Comparison) -> Iterator[str]:
    """Yield the ranking, with what choosing wrong would cost beside it."""
    yield "Rank by expected loss (arrest = 100), and regret: loss above the best choice for each"
    ranking = comparison.ranking
    for option in ranking:
        tied = sum(o.rank == option.rank for o in ranking) > 1
        low, mean, high = option.loss
        a, regret, b = option.regret
        yield (
            f"  {option.rank}{'=' if tied else ' '} {_cut(option.name, 30):30}  "
            f"loss {mean:5.1f} ({low:.1f}…{high:.1f})  regret {regret:5.1f} ({a:.1f}…{b:.1f})"
            f"{_bettered(option)}"
        )


def _bettered(option: Judged) -> str:
    said = f"  bettered in everything by {' and '.join(option.dominated)}"
    return said if option.dominated else ""


def _chances(comparison: Comparison) -> Iterator[str]:
    """Yield the chance of each complication that any member met."""
    names = dict.fromkeys(c.name for o in comparison.options for c in o.chances)
    rows = {n: [_of(o, n) for o in comparison.options] for n in names}
    met = {n: row for n, row in rows.items() if any(c is not None and c.count for c in row)}
    yield _columns("Chance, 95 %", (o.name for o in comparison.options))
    for name, row in met.items():
        yield _columns(name, (_chance(c) for c in row))
        if any(c is not None and c.before for c in row):
            yield _columns("  before any act", (_before(c) for c in row))
    if none := [n for n in names if n not in met]:
        yield f"Met by no member: {', '.join(none)}."


def _of(option: Judged, name: str) -> Chance | None:
    return next((c for c in option.chances if c.name == name), None)


def _chance(chance: Chance | None) -> str:
    if chance is None:
        return "not looked for"
    low, high = (_percent(100.0 * x) for x in (chance.low, chance.high))
    return f"{_percent(100.0 * chance.chance)} % ({low}…{high})"


def _percent(value: float) -> str:
    """Return a chance [%] that is neither none nor sure unless it is."""
    if 0.0 < value < 1.0 or 99.0 < value < 100.0:
        return f"{value:.1f}"
    return f"{value:.0f}"


def _before(chance: Chance | None) -> str:
    return "" if chance is None else f"{chance.before} of {chance.members}"


def _measures(comparison: Comparison) -> Iterator[str]:
    yield _columns("Median, 90 %", (o.name for o in comparison.options), 34)
    for i, spread in enumerate(comparison.options[0].spreads):
        cells = [o.spreads[i] for o in comparison.options]
        unit = show_unit(units_of(spread.measure)[1])
        row = [f"{told(s.measure, s.median)} ({told(s.measure, s.low)}…"
               f"{told(s.measure, s.high)})" for s in cells]  # fmt: skip
        yield _columns(f"{_short(spread.measure)}, {spread.when} [{unit}]", row, 34)


def _short(name: str) -> str:
    words = {"mean arterial pressure": "mean pressure", "central venous pressure": "CVP",
             "aortic valve mean gradient": "aortic gradient",
             "left atrial pressure": "left atrium"}  # fmt: skip
    return words.get(label_of(name), label_of(name))


def told(name: str, value: float) -> str:
    """Return a measure [SI] in its shown unit, three figures, without the unit."""
    if not math.isfinite(value):
        return "—"
    unit, shown = units_of(name)
    found = convert(value, unit, shown)
    return f"{found:.0f}" if abs(found) >= 99.5 else f"{found:.3g}".replace("-", "−")


def _differences(comparison: Comparison) -> Iterator[str]:
    """Yield how each option differs from the first of the ranking, beyond the noise."""
    best = comparison.ranking[0].name
    yield f"Less {best}, member by member (measures 90 %, chances 95 %)"
    for option in comparison.options:
        if option.name != best:
            yield f"  {option.name}:"
            yield from _against(comparison, option.name, best)


def _against(comparison: Comparison, name: str, best: str) -> Iterator[str]:
    pair = {name, best}
    told_of = [_turned(d, best) for d in comparison.differences if {d.first, d.second} == pair]
    chances = [
        _turned(d, best) for d in comparison.chance_differences if {d.first, d.second} == pair
    ]
    yield from (f"    {_difference(d)}" for d in told_of if not d.noise)
    for d in chances:
        if not d.noise:
            low, middle, high = (_points(x) for x in (d.low, d.difference, d.high))
            yield f"    chance of {d.name}: {middle} points ({low}…{high})"
    quiet, many = sum(d.noise for d in told_of), sum(d.noise for d in chances)
    yield f"    within the noise or too small to count: {quiet} measures, {many} chances"


def _turned(d: _AnyDifference, first: str) -> _AnyDifference:
    """Return a difference seen from the option `first`."""
    if d.first == first:
        return d
    turned = replace(d, first=d.second, second=d.first, low=-d.high, high=-d.low)
    if isinstance(turned, Difference):
        return replace(turned, median=-turned.median)
    return replace(turned, difference=-turned.difference)


def _points(share: float) -> str:
    return f"{100.0 * share:+.0f}".replace("-", "−")


def _difference(d: Difference) -> str:
    low, middle, high = (_signed(d.measure, x) for x in (d.low, d.median, d.high))
    unit = show_unit(units_of(d.measure)[1])
    return f"{_short(d.measure)}, {d.when}: {middle} {unit} ({low}…{high})"


def _signed(name: str, value: float) -> str:
    text = told(name, value)
    return text if text.startswith("−") else f"+{text}"


def _choices(choices: Sequence[Choice]) -> Iterator[str]:
    """Yield the set of acceptable choices, and what speaks against each one."""
    yield "Under the chances that are allowed"
    for choice in choices:
        yield f"  {_cut(choice.name, 30):30}  {choice.verdict}"
        yield from (f"      {reason}" for reason in choice.against)
        for o in choice.objections:
            if o.chance.count:
                sure = "surely above" if o.sure else "may be above"
                yield (f"      {o.chance.name}: {_chance(o.chance)}, {sure} the "
                       f"{_percent(100.0 * o.at_most)} % allowed, first after "
                       f"{show_duration(o.chance.first)}")  # fmt: skip
        if rare := [o.chance.name for o in choice.objections if not o.chance.count]:
            yield f"      {', '.join(rare)}: met by nobody, but more members are needed to be sure"

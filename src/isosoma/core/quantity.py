"""The one formatter of quantities: every number a person reads passes through here.

The uncertainty decides the digits: it is rounded to two significant figures, and the value to the
same place (JCGM 100:2008, GUM, 7.2.6). Without one, the vocabulary row says how many decimals.
"""

from __future__ import annotations

import math

from isosoma.core.units import ucum
from isosoma.core.vocabulary import Variable

__all__ = ["NO_VALUE", "Z90", "show", "show_duration", "show_interval", "show_unit"]

NO_VALUE = "—"
Z90 = 1.6448536269514722
"""Sigmas that a 90 % interval of a normal distribution reaches to either side."""

_PRINTED = {
    "mm[Hg]": "mmHg", "cm[H2O]": "cmH₂O", "Cel": "°C", "[degF]": "°F", "1": "", "m3": "m³",
    "mol/m3": "mol/m³", "kg/m3": "kg/m³", "ug": "µg", "uV": "µV", "umol/L": "µmol/L", "[iU]": "IU",
    "10*9/L": "10⁹/L", "m2": "m²", "cm2": "cm²", "mm2": "mm²", "Ohm": "Ω",
}  # fmt: skip


def show_unit(code: str) -> str:
    """Return a UCUM code as people print it: ``mm[Hg]`` becomes mmHg."""
    return _PRINTED.get(code, code)


def _shown(row: Variable, value: float) -> float:
    """Return an SI value in the row's shown unit."""
    unit, shown = ucum(row.unit), ucum(row.shown)
    mass = row.molar_mass if unit.dimensions != shown.dimensions else 1.0
    return (value * unit.factor * mass - shown.offset) / shown.factor


def _decimals(spread: float) -> int:
    """Return the decimals that leave two significant figures of `spread`."""
    decimals = 1 - math.floor(math.log10(spread))
    if round(spread, decimals) >= 10.0 ** (2 - decimals):  # 0.996 rounds to 1.0, one figure up
        decimals -= 1
    return max(0, decimals)


def _fixed(value: float, decimals: int) -> str:
    """Write `value` with a real minus sign and never as -0."""
    text = f"{value:.{decimals}f}"
    if float(text) == 0.0:
        text = text.lstrip("-")
    return text.replace("-", "−")


def show(row: Variable, value: float, sigma: float = math.nan) -> str:
    """Return ``118 ± 5 mmHg``: the SI `value` and its standard uncertainty in the shown unit.

    A value that is not finite is an em dash; a sigma that is not finite or not positive is left
    out. The unit always stands.
    """
    if not math.isfinite(value):
        return f"{NO_VALUE} {show_unit(row.shown)}".rstrip()
    spread = abs(_shown(row, value + sigma) - _shown(row, value))
    if math.isfinite(spread) and spread > 0.0:
        decimals = _decimals(spread)
        number = f"{_fixed(_shown(row, value), decimals)} ± {_fixed(spread, decimals)}"
    else:
        number = _fixed(_shown(row, value), row.digits)
    return f"{number} {show_unit(row.shown)}".rstrip()


def show_interval(row: Variable, low: float, high: float, level: float) -> str:
    """Return ``109–127 mmHg (90 %)`` for an SI interval at `level` in (0, 1)."""
    if not (math.isfinite(low) and math.isfinite(high) and low <= high):
        return f"{NO_VALUE} {show_unit(row.shown)}".rstrip()
    a, b = _shown(row, low), _shown(row, high)
    decimals = _decimals((b - a) / 2.0) if b > a else row.digits
    numbers = f"{_fixed(a, decimals)}–{_fixed(b, decimals)}"
    return f"{numbers} {show_unit(row.shown)}".rstrip() + f" ({level * 100:g} %)"


_STEPS = ((1.0, "ms"), (120.0, "s"), (7200.0, "min"), (172800.0, "h"), (math.inf, "d"))
_SIZES = {"ms": 1e-3, "s": 1.0, "min": 60.0, "h": 3600.0, "d": 86400.0}


def show_duration(seconds: float) -> str:
    """Return an age or delay [s] in the coarsest unit that keeps it readable: ``45 s``, ``3 h``."""
    if not math.isfinite(seconds):
        return NO_VALUE
    unit = next(name for limit, name in _STEPS if abs(seconds) < limit)
    return f"{_fixed(seconds / _SIZES[unit], 0)} {unit}"

"""UCUM units at the door, SI inside.

A unit is a factor, an offset and integer exponents of eight base dimensions: metre, kilogram,
second, ampere, kelvin, mole, candela, and the arbitrary international unit ``[iU]``, which no
factor relates to anything else.

Departures from UCUM (Schadow & McDonald, The Unified Code for Units of Measure, v2.1): amount of
substance is a dimension of its own (UCUM counts 6.022e23), and the base of mass is the kilogram.
``mg/dL`` and ``mmol/L`` have different dimensions; `convert` relates them by a molar mass [kg/mol],
which belongs to the variable, never to the unit.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from functools import lru_cache

from isosoma.core.errors import UnitError

__all__ = ["Unit", "convert", "from_si", "read_unit", "to_si", "ucum"]

Dimensions = tuple[int, int, int, int, int, int, int, int]
_NONE: Dimensions = (0, 0, 0, 0, 0, 0, 0, 0)
_MAX_LENGTH = 64
_MAX_EXPONENT = 20


@dataclass(frozen=True, slots=True)
class Unit:
    """One unit: ``SI value = value * factor + offset``.

    Attributes
    ----------
    code : the UCUM code as given.
    factor : SI units per one of this unit.
    offset : SI value at zero of this unit; not zero only for temperatures on a scale.
    dimensions : exponents of (m, kg, s, A, K, mol, cd, [iU]).
    """

    code: str
    factor: float
    offset: float
    dimensions: Dimensions


_PREFIXES = {
    "Y": 1e24, "Z": 1e21, "E": 1e18, "P": 1e15, "T": 1e12, "G": 1e9, "M": 1e6, "k": 1e3,
    "h": 1e2, "da": 1e1, "d": 1e-1, "c": 1e-2, "m": 1e-3, "u": 1e-6, "n": 1e-9, "p": 1e-12,
    "f": 1e-15, "a": 1e-18, "z": 1e-21, "y": 1e-24,
}  # fmt: skip

# Metric atoms take a prefix. Factors from the UCUM specification, tables 1 to 22.
_METRIC: dict[str, tuple[float, Dimensions]] = {
    "m": (1.0, (1, 0, 0, 0, 0, 0, 0, 0)),
    "g": (1e-3, (0, 1, 0, 0, 0, 0, 0, 0)),
    "s": (1.0, (0, 0, 1, 0, 0, 0, 0, 0)),
    "A": (1.0, (0, 0, 0, 1, 0, 0, 0, 0)),
    "K": (1.0, (0, 0, 0, 0, 1, 0, 0, 0)),
    "mol": (1.0, (0, 0, 0, 0, 0, 1, 0, 0)),
    "cd": (1.0, (0, 0, 0, 0, 0, 0, 1, 0)),
    "rad": (1.0, _NONE),
    "sr": (1.0, _NONE),
    "Hz": (1.0, (0, 0, -1, 0, 0, 0, 0, 0)),
    "N": (1.0, (1, 1, -2, 0, 0, 0, 0, 0)),
    "Pa": (1.0, (-1, 1, -2, 0, 0, 0, 0, 0)),
    "J": (1.0, (2, 1, -2, 0, 0, 0, 0, 0)),
    "W": (1.0, (2, 1, -3, 0, 0, 0, 0, 0)),
    "C": (1.0, (0, 0, 1, 1, 0, 0, 0, 0)),
    "V": (1.0, (2, 1, -3, -1, 0, 0, 0, 0)),
    "F": (1.0, (-2, -1, 4, 2, 0, 0, 0, 0)),
    "Ohm": (1.0, (2, 1, -3, -2, 0, 0, 0, 0)),
    "S": (1.0, (-2, -1, 3, 2, 0, 0, 0, 0)),
    "Wb": (1.0, (2, 1, -2, -1, 0, 0, 0, 0)),
    "T": (1.0, (0, 1, -2, -1, 0, 0, 0, 0)),
    "H": (1.0, (2, 1, -2, -2, 0, 0, 0, 0)),
    "lm": (1.0, (0, 0, 0, 0, 0, 0, 1, 0)),
    "lx": (1.0, (-2, 0, 0, 0, 0, 0, 1, 0)),
    "Bq": (1.0, (0, 0, -1, 0, 0, 0, 0, 0)),
    "Gy": (1.0, (2, 0, -2, 0, 0, 0, 0, 0)),
    "Sv": (1.0, (2, 0, -2, 0, 0, 0, 0, 0)),
    "kat": (1.0, (0, 0, -1, 0, 0, 1, 0, 0)),
    "U": (1e-6 / 60.0, (0, 0, -1, 0, 0, 1, 0, 0)),
    "l": (1e-3, (3, 0, 0, 0, 0, 0, 0, 0)),
    "L": (1e-3, (3, 0, 0, 0, 0, 0, 0, 0)),
    "t": (1e3, (0, 1, 0, 0, 0, 0, 0, 0)),
    "u": (1.66053906660e-27, (0, 1, 0, 0, 0, 0, 0, 0)),
    "eV": (1.602176634e-19, (2, 1, -2, 0, 0, 0, 0, 0)),
    "bar": (1e5, (-1, 1, -2, 0, 0, 0, 0, 0)),
    "m[Hg]": (133322.387415, (-1, 1, -2, 0, 0, 0, 0, 0)),
    "m[H2O]": (9806.65, (-1, 1, -2, 0, 0, 0, 0, 0)),
    "dyn": (1e-5, (1, 1, -2, 0, 0, 0, 0, 0)),
    "erg": (1e-7, (2, 1, -2, 0, 0, 0, 0, 0)),
    "P": (0.1, (-1, 1, -1, 0, 0, 0, 0, 0)),
    "cal": (4.184, (2, 1, -2, 0, 0, 0, 0, 0)),
    "eq": (1.0, (0, 0, 0, 0, 0, 1, 0, 0)),
    "osm": (1.0, (0, 0, 0, 0, 0, 1, 0, 0)),
    "g%": (10.0, (-3, 1, 0, 0, 0, 0, 0, 0)),
    "Ci": (3.7e10, (0, 0, -1, 0, 0, 0, 0, 0)),
    "[iU]": (1.0, (0, 0, 0, 0, 0, 0, 0, 1)),
    "[IU]": (1.0, (0, 0, 0, 0, 0, 0, 0, 1)),
}

_PLAIN: dict[str, tuple[float, Dimensions]] = {
    "min": (60.0, (0, 0, 1, 0, 0, 0, 0, 0)),
    "h": (3600.0, (0, 0, 1, 0, 0, 0, 0, 0)),
    "d": (86400.0, (0, 0, 1, 0, 0, 0, 0, 0)),
    "wk": (604800.0, (0, 0, 1, 0, 0, 0, 0, 0)),
    "mo": (2629800.0, (0, 0, 1, 0, 0, 0, 0, 0)),
    "a": (31557600.0, (0, 0, 1, 0, 0, 0, 0, 0)),
    "deg": (math.pi / 180.0, _NONE),
    "'": (math.pi / 10800.0, _NONE),
    "''": (math.pi / 648000.0, _NONE),
    "%": (1e-2, _NONE),
    "[ppth]": (1e-3, _NONE),
    "[ppm]": (1e-6, _NONE),
    "[ppb]": (1e-9, _NONE),
    "[pi]": (math.pi, _NONE),
    "10*": (10.0, _NONE),
    "10^": (10.0, _NONE),
    "[g]": (9.80665, (1, 0, -2, 0, 0, 0, 0, 0)),
    "atm": (101325.0, (-1, 1, -2, 0, 0, 0, 0, 0)),
    "[psi]": (6894.757293168362, (-1, 1, -2, 0, 0, 0, 0, 0)),
    "[in_i]": (0.0254, (1, 0, 0, 0, 0, 0, 0, 0)),
    "[ft_i]": (0.3048, (1, 0, 0, 0, 0, 0, 0, 0)),
    "[mi_i]": (1609.344, (1, 0, 0, 0, 0, 0, 0, 0)),
    "[lb_av]": (0.45359237, (0, 1, 0, 0, 0, 0, 0, 0)),
    "[oz_av]": (0.028349523125, (0, 1, 0, 0, 0, 0, 0, 0)),
    "[Ch]": (1e-3 / 3.0, (1, 0, 0, 0, 0, 0, 0, 0)),
}

# Scales whose zero is not the zero of the quantity; UCUM's special units.
_SPECIAL: dict[str, tuple[float, float, Dimensions]] = {
    "Cel": (1.0, 273.15, (0, 0, 0, 0, 1, 0, 0, 0)),
    "[degF]": (5.0 / 9.0, 273.15 - 32.0 * 5.0 / 9.0, (0, 0, 0, 0, 1, 0, 0, 0)),
}

# What devices and people write where UCUM is not used. Only spellings that are no UCUM code and
# mean one thing; "C", "F" (coulomb, farad in UCUM) and a bare "U/h" stay what UCUM says they are.
_WORDS = {
    "mmHg": "mm[Hg]", "cmH2O": "cm[H2O]", "bpm": "/min", "beats/min": "/min", "1/min": "/min",
    "breaths/min": "/min", "count/min": "/min", "°C": "Cel", "degC": "Cel", "℃": "Cel",
    "°F": "[degF]", "degF": "[degF]", "mcg": "ug", "µg": "ug", "μg": "ug", "µV": "uV", "μV": "uV",
    "µmol/L": "umol/L", "μmol/L": "umol/L", "sec": "s", "msec": "ms", "hr": "h", "percent": "%",
    "lb": "[lb_av]", "lbs": "[lb_av]", "in": "[in_i]", "ml": "mL", "IU": "[iU]", "mEq/L": "meq/L",
    "mmol/l": "mmol/L", "mg/dl": "mg/dL", "g/dl": "g/dL",
}  # fmt: skip

_EXPONENT = re.compile(r"([+-]?[0-9]+)$")
_TOKEN = re.compile(r"\(|\)|\.|/|\{[^{}]*\}|(?:\[[^\[\]]*\]|[^\[\](){}./\s])+")


def _atom(symbol: str, code: str) -> tuple[float, Dimensions]:
    """Return factor and dimensions of one symbol without exponent, prefixed or not."""
    if symbol in _PLAIN:
        return _PLAIN[symbol]
    if symbol in _METRIC:
        return _METRIC[symbol]
    for length in (2, 1):
        prefix, rest = symbol[:length], symbol[length:]
        if prefix in _PREFIXES and rest in _METRIC:
            factor, dimensions = _METRIC[rest]
            return _PREFIXES[prefix] * factor, dimensions
    if symbol in _SPECIAL or symbol[1:] in _SPECIAL:
        raise UnitError(
            f"{symbol} in {code!r} is a scale with its own zero and cannot be part of a product",
            todo="Use K",
        )
    raise UnitError(f"{symbol!r} in unit {code!r} is not known", todo="Write the unit in UCUM")


def _component(token: str, code: str) -> tuple[float, Dimensions]:
    """Return factor and dimensions of ``symbol[exponent]`` or of an integer factor."""
    if token.isascii() and token.isdigit():
        return float(token), _NONE
    found = None if token in _PLAIN or token in _METRIC else _EXPONENT.search(token)
    if found is None:
        return _atom(token, code)
    exponent = int(found.group(1))
    if abs(exponent) > _MAX_EXPONENT:
        raise UnitError(f"exponent {exponent} in unit {code!r} is beyond {_MAX_EXPONENT}")
    factor, dimensions = _atom(token[: found.start()], code)
    return factor**exponent, _scaled(dimensions, exponent)


def _scaled(dimensions: Dimensions, by: int) -> Dimensions:
    a, b, c, d, e, f, g, h = dimensions
    return (a * by, b * by, c * by, d * by, e * by, f * by, g * by, h * by)


def _tokens(code: str) -> list[str]:
    tokens = _TOKEN.findall(code)
    if "".join(tokens) != code or not code.isprintable():
        raise UnitError(f"unit {code!r} cannot be read", todo="Write the unit in UCUM")
    kept: list[str] = []
    for token in tokens:
        if not token.startswith("{"):
            kept.append(token)
        elif not kept or kept[-1] in ("/", ".", "("):
            kept.append("1")  # an annotation alone is a pure number: {beats}/min
    return kept


def _term(tokens: list[str], start: int, code: str) -> tuple[float, Dimensions, int]:
    """Read ``[/]component{(.|/)component}`` from `start`, left to right as UCUM asks."""
    factor, dimensions, sign, i = 1.0, _NONE, 1, start
    if i < len(tokens) and tokens[i] == "/":
        sign, i = -1, i + 1
    while True:
        if i >= len(tokens) or tokens[i] in ("/", ".", ")"):
            raise UnitError(f"unit {code!r} ends where a unit is due")
        if tokens[i] == "(":
            f, d, i = _term(tokens, i + 1, code)
            if i >= len(tokens) or tokens[i] != ")":
                raise UnitError(f"unit {code!r} has an open parenthesis")
        else:
            f, d = _component(tokens[i], code)
        factor *= f**sign
        dimensions = _product(dimensions, _scaled(d, sign))
        i += 1
        if i >= len(tokens) or tokens[i] == ")":
            return factor, dimensions, i
        if tokens[i] not in ("/", "."):
            raise UnitError(f"unit {code!r} lacks '.' or '/' before {tokens[i]!r}")
        sign, i = (-1 if tokens[i] == "/" else 1), i + 1


def _product(a: Dimensions, b: Dimensions) -> Dimensions:
    return (
        a[0] + b[0], a[1] + b[1], a[2] + b[2], a[3] + b[3],
        a[4] + b[4], a[5] + b[5], a[6] + b[6], a[7] + b[7],
    )  # fmt: skip


@lru_cache(maxsize=1024)
def ucum(code: str) -> Unit:
    """Read a case-sensitive UCUM code.

    Parameters
    ----------
    code : for example ``mm[Hg]``, ``/min``, ``mg/dL``, ``10*9/L``, ``mL/min/{1.73_m2}``, ``Cel``.

    Raises
    ------
    UnitError
        The code is empty, malformed, or holds an unknown symbol.
    """
    if not code or len(code) > _MAX_LENGTH:
        raise UnitError(f"a unit is due, not {code[:20]!r}", todo="Write the unit in UCUM")
    if code in _SPECIAL:
        factor, offset, dimensions = _SPECIAL[code]
        return Unit(code, factor, offset, dimensions)
    tokens = _tokens(code)
    try:
        factor, dimensions, end = _term(tokens, 0, code)
    except (OverflowError, ZeroDivisionError):
        factor, dimensions, end = 0.0, _NONE, len(tokens)
    if end != len(tokens):
        raise UnitError(f"unit {code!r} has a parenthesis too many")
    if not 0.0 < factor < math.inf:
        raise UnitError(f"unit {code!r} has no usable factor")
    return Unit(code, factor, 0.0, dimensions)


def read_unit(text: str) -> Unit:
    """Read UCUM, or one of the few unambiguous words devices write (``mmHg``, ``bpm``, ``°C``).

    Raises
    ------
    UnitError
        Neither; a unit is never guessed.
    """
    cleaned = text.strip()
    return ucum(_WORDS.get(cleaned, cleaned))


def to_si(value: float, code: str) -> float:
    """Return `value` [code] in SI base units."""
    unit = ucum(code)
    return value * unit.factor + unit.offset


def from_si(value: float, code: str) -> float:
    """Return the SI `value` in [code]."""
    unit = ucum(code)
    return (value - unit.offset) / unit.factor


_MASS_PER_AMOUNT: Dimensions = (0, 1, 0, 0, 0, -1, 0, 0)


def convert(value: float, source: str, target: str, molar_mass: float | None = None) -> float:
    """Return `value` [source] in [target].

    Parameters
    ----------
    molar_mass : of the substance [kg/mol]; needed between mass and amount (mg/dL to mmol/L).

    Raises
    ------
    UnitError
        The units have different dimensions, and no molar mass bridges them.
    """
    a, b = ucum(source), ucum(target)
    si = value * a.factor + a.offset
    if a.dimensions != b.dimensions:
        if molar_mass is not None and a.dimensions == _product(b.dimensions, _MASS_PER_AMOUNT):
            si /= molar_mass
        elif molar_mass is not None and b.dimensions == _product(a.dimensions, _MASS_PER_AMOUNT):
            si *= molar_mass
        else:
            raise UnitError(
                f"{source!r} and {target!r} measure different things",
                todo="Give the value in a unit of the variable"
                + ("" if molar_mass else ", or a variable with a molar mass"),
            )
    return (si - b.offset) / b.factor

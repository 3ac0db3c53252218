"""Drugs on the circulation: effect-site kinetics, and what the effect does to parameters.

A drug never moves a pressure: it changes resistance, venous volume, contractility, the reflex or
the cycle length, and the circulation answers. The table is ``drugs.toml``.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from importlib.resources import files

from isosoma.core.model import Parameter, Port, Source
from isosoma.core.prior import Fixed, LogNormal
from isosoma.core.units import to_si
from isosoma.physics.compartments import effect_site, emax, peripheral, plasma
from isosoma.physics.program import Call, Line

__all__ = [
    "DRUGS",
    "Drug",
    "drug_inputs",
    "drug_lines",
    "drug_parameters",
    "drug_rates",
    "drug_rows",
    "kinetics",
    "lean_mass",
]  # fmt: skip

_PK = ("v1", "v2", "v3", "cl1", "cl2", "cl3", "ke0")
_UNITS = {"v": ("m3", "L"), "c": ("m3/s", "L/min"), "k": ("Hz", "/min")}
# What an effect may change: row, how it combines, SI unit and printed unit of its size.
_TARGETS = {
    "resistance": ("drug_resistance", "1", "1"),
    "heart": ("drug_heart", "1", "1"),
    "reflex": ("drug_reflex", "1", "1"),
    "beta": ("drug_beta", "1", "1"),
    "veins": ("drug_veins", "m3", "mL"),
    "period": ("drug_period", "s", "s"),
}
FACTORS = ("drug_resistance", "drug_heart", "drug_reflex", "drug_beta")
SUMS = ("drug_veins", "drug_period")


@dataclass(frozen=True, slots=True)
class Drug:
    """A row of the table: kinetics [L, L/min, /min], effects, source."""

    name: str
    pk: tuple[float, ...]
    effects: tuple[Mapping[str, float], ...]
    source: Source = field(default=Source("drugs.toml", verified=False))


@lru_cache(maxsize=1)
def _table() -> dict[str, Drug]:
    text = files("isosoma.organs.circulation").joinpath("drugs.toml").read_text("utf-8")
    out = dict[str, Drug]()
    for name, row in tomllib.loads(text).items():
        effects = tuple({k: float(v) for k, v in e.items()} for e in row["effects"])
        pk = (*map(float, row["pk"]), float(row["ke0"]))
        source = Source(str(row["source"]), str(row.get("doi", "")), verified=False)
        out[name] = Drug(name, pk, effects, source)
    return out


DRUGS: Mapping[str, Drug] = _table()


def drug_parameters() -> tuple[Parameter, ...]:
    """Return kinetics and effect sizes as parameters, SI."""
    out = list[Parameter]()
    for drug in DRUGS.values():
        for symbol, value in zip(_PK, drug.pk, strict=True):
            si, printed = _UNITS[symbol[0]]
            prior = Fixed(to_si(value, printed))
            out.append(Parameter(f"{drug.name}_{symbol}", si, prior, drug.source, "population"))
        for i, effect in enumerate(drug.effects):
            for key, value in effect.items():
                out.append(_effect(drug, f"{drug.name}_{key}_{i}", key, value))
    return tuple(out)


def _effect(drug: Drug, name: str, key: str, value: float) -> Parameter:
    if key == "c50":
        prior = LogNormal(to_si(value, "ug/L"), 0.3)
        return Parameter(name, "kg/m3", prior, drug.source)
    _, si, printed = _TARGETS[key]
    return Parameter(name, si, Fixed(to_si(value, printed)), drug.source, "population")


def drug_inputs() -> tuple[Port, ...]:
    """Return the infusion rate of every drug [kg/s]."""
    return tuple(Port(f"{name}_rate", "kg/s") for name in DRUGS)


def drug_rows() -> dict[str, str]:
    """Return the rows that the drugs keep, with units: amounts, effect sites, combined effects."""
    out = dict[str, str]()
    for name in DRUGS:
        out |= {f"{name}_a{i}": "kg" for i in (1, 2, 3)} | {f"{name}_ce": "kg/m3"}
    out |= dict.fromkeys(FACTORS, "1")
    return out | {"drug_veins": "m3", "drug_period": "s"}


def drug_lines(dt: str) -> tuple[Line, ...]:
    """Return the lines of a step of all drugs, `dt` (a name, [s]) long."""
    lines = list[Line]()
    terms = {row: list[str]() for row, _, _ in _TARGETS.values()}
    for drug in DRUGS.values():
        lines += _kinetics(drug.name, dt)
        for i, effect in enumerate(drug.effects):
            share = f"{drug.name}_share_{i}"
            lines.append(Call(emax, (f"{drug.name}_ce", f"{drug.name}_c50_{i}"), (share,)))
            for key in effect:
                if key != "c50":
                    terms[_TARGETS[key][0]].append(f"{drug.name}_{key}_{i} * {share}")
    for row in FACTORS:
        lines.append(f"{row} = {' * '.join(f'(1.0 + {t})' for t in terms[row]) or '1.0'}")
    for row in SUMS:
        lines.append(f"{row} = {' + '.join(terms[row]) or '0.0'}")
    return tuple(lines)


def drug_rates() -> tuple[Line, ...]:
    """Return the lines that give every rate constant [1/s], once per call."""
    ways = ((1, 0, 1, 1), (1, 2, 2, 1), (2, 1, 2, 2), (1, 3, 3, 1), (3, 1, 3, 3))
    return tuple(
        line
        for name in DRUGS
        for line in (
            *(f"{name}_k{i}{j} = {name}_cl{c} / {name}_v{v}" for i, j, c, v in ways),
            f"{name}_per_v1 = 1.0 / {name}_v1",
        )
    )


def _kinetics(name: str, dt: str) -> list[Line]:
    """Three compartments and the effect site; clearances over volumes are the rate constants."""
    a1, a2, a3, ce = (f"{name}_{s}" for s in ("a1", "a2", "a3", "ce"))
    k10, k12, k21, k13, k31 = (f"{name}_k{x}" for x in ("10", "12", "21", "13", "31"))
    central = (a1, a2, a3, f"{name}_rate", k10, k12, k21, k13, k31, dt)
    return [
        Call(plasma, central, (a1,)),
        Call(peripheral, (a2, a1, k12, k21, dt), (a2,)),
        Call(peripheral, (a3, a1, k13, k31, dt), (a3,)),
        f"{name}_cp = {a1} * {name}_per_v1",
        Call(effect_site, (ce, f"{name}_cp", f"{name}_ke0", dt), (ce,)),
    ]


def lean_mass(weight: float, height: float, female: bool) -> float:
    """Return lean body mass [kg] (James 1976) of weight [kg] and height [m]."""
    ratio = (weight / (100.0 * height)) ** 2
    return 1.07 * weight - 148.0 * ratio if female else 1.10 * weight - 128.0 * ratio


def kinetics(age: float, weight: float, height: float, female: bool) -> dict[str, float]:
    """Return kinetic parameters [SI] of a person, where the authors give formulas.

    Schnider for propofol and Minto for remifentanil above 12 years; otherwise, and for all other
    drugs, volumes by weight and clearances by weight^0.75 from the table's adult of 75 kg.
    """
    lbm, cm = lean_mass(weight, height, female), 100.0 * height
    own = dict[str, tuple[float, ...]]()
    if age >= 12.0:
        own["propofol"] = (
            4.27, 18.9 - 0.391 * (age - 53), 238.0,
            1.89 + 0.0456 * (weight - 77) - 0.0681 * (lbm - 59) + 0.0264 * (cm - 177),
            1.29 - 0.024 * (age - 53), 0.836, 0.456,
        )  # fmt: skip
        own["remifentanil"] = (
            5.1 - 0.0201 * (age - 40) + 0.072 * (lbm - 55),
            9.82 - 0.0811 * (age - 40) + 0.108 * (lbm - 55), 5.42,
            2.6 - 0.0162 * (age - 40) + 0.0191 * (lbm - 55),
            2.05 - 0.0301 * (age - 40), 0.076 - 0.00113 * (age - 40), 0.595 - 0.007 * (age - 40),
        )  # fmt: skip
    size = weight / 75.0
    out = dict[str, float]()
    for drug in DRUGS.values():
        by_size = (*(v * size for v in drug.pk[:3]), *(c * size**0.75 for c in drug.pk[3:6]))
        pk = own.get(drug.name, (*by_size, drug.pk[6] * size**-0.25))
        for symbol, value in zip(_PK, pk, strict=True):
            out[f"{drug.name}_{symbol}"] = to_si(max(value, 1e-6), _UNITS[symbol[0]][1])
    return out

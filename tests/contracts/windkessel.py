"""The smallest honest model: a two-element windkessel that empties through a resistance.

dV/dt = (P_venous - P) / R with P = V / C (Frank 1899, Z Biol 37:483), stepped exactly:
P - P_venous shrinks by exp(-step / RC) each tick. It exists to hold the contracts to account;
`FAULTS` are the same model with one thing wrong each.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from isosoma.core.model import Bundle, IntendedUse, Outcome, Parameter, Port, Source
from isosoma.core.prior import Fixed, LogNormal, Normal

_FRANK = Source("Frank 1899, Die Grundform des arteriellen Pulses, Z Biol 37:483")
_RESISTANCE = Parameter("resistance", "Pa.s/m3", LogNormal(1.3e8, 0.2), _FRANK)
_COMPLIANCE = Parameter("compliance", "m3/Pa", LogNormal(1.1e-8, 0.2), _FRANK)
_STRESSED = Parameter("stressed_volume", "m3", LogNormal(1.5e-4, 0.1), _FRANK)


@dataclass(frozen=True)
class Windkessel:
    """Windkessel without a fault."""

    step: float = 1e-3
    name: str = "tests.windkessel"
    version: str = "1"
    parameters: tuple[Parameter, ...] = (_RESISTANCE, _COMPLIANCE, _STRESSED)
    states: tuple[Port, ...] = (Port("volume", "m3"),)
    inputs: tuple[Port, ...] = (Port("venous_pressure", "Pa", rest=600.0),)
    outputs: tuple[Port, ...] = (Port("mean_arterial_pressure", "Pa"),)
    intended_use: IntendedUse = field(
        default=IntendedUse(
            "How fast does pressure fall after the last beat?",
            "Tests of the contracts, no patient",
            "Anything about a patient",
            "low",
            "low",
        )
    )
    cases: tuple[str, ...] = ("windkessel_decay.toml",)

    def start(self, theta: Bundle) -> Bundle:
        return {"volume": theta["stressed_volume"].copy()}

    def _rate(self, theta: Bundle) -> np.ndarray:
        return self.step / (theta["resistance"] * theta["compliance"])

    def _floor(self, theta: Bundle, inputs: Bundle) -> np.ndarray:
        return inputs["venous_pressure"] * theta["compliance"]

    def advance(
        self, tick0: int, tick1: int, state: Bundle, theta: Bundle, inputs: Bundle
    ) -> Outcome:
        floor, shrink = self._floor(theta, inputs), np.exp(-self._rate(theta))
        volume = np.array(state["volume"])
        for _ in range(tick0, tick1):
            volume = floor + (volume - floor) * shrink
        failed = ~np.isfinite(volume)
        return Outcome(
            {"volume": volume},
            {"mean_arterial_pressure": volume / theta["compliance"]},
            failed,
            {"blood": volume - state["volume"]},
            ("A parameter is not a number: see the inputs",) if failed.any() else (),
        )

    def conserved(self, state: Bundle, theta: Bundle) -> Mapping[str, np.ndarray]:
        return {"blood": np.asarray(state["volume"])}


class HiddenConstant(Windkessel):
    """A pressure in the equations that no parameter declares."""

    def _floor(self, theta: Bundle, inputs: Bundle) -> np.ndarray:
        return (inputs["venous_pressure"] + 500.0) * theta["compliance"]


class Leak(Windkessel):
    """Loses a millionth of its blood per tick to nowhere."""

    def advance(
        self, tick0: int, tick1: int, state: Bundle, theta: Bundle, inputs: Bundle
    ) -> Outcome:
        out = super().advance(tick0, tick1, state, theta, inputs)
        left = (1.0 - 1e-6) ** (tick1 - tick0)
        return Outcome(
            {"volume": out.state["volume"] * left}, out.outputs, out.failed, out.exchanged,
            out.advice,
        )  # fmt: skip


class Gossip(Windkessel):
    """Members see each other: the floor is the batch's mean."""

    def _floor(self, theta: Bundle, inputs: Bundle) -> np.ndarray:
        floor = super()._floor(theta, inputs)
        return np.full_like(floor, np.nanmean(floor))


class Restart(Windkessel):
    """Counts time from its own call instead of from tick 0."""

    def advance(
        self, tick0: int, tick1: int, state: Bundle, theta: Bundle, inputs: Bundle
    ) -> Outcome:
        floor, rate = self._floor(theta, inputs), self._rate(theta)
        volume = floor + (state["volume"] - floor) * np.exp(-rate * (tick1 - tick0))
        out = super().advance(tick0, tick0, state, theta, inputs)
        return Outcome(
            {"volume": volume}, {"mean_arterial_pressure": volume / theta["compliance"]},
            ~np.isfinite(volume), {"blood": volume - state["volume"]}, out.advice,
        )  # fmt: skip


class Silent(Windkessel):
    """Lets a NaN through without saying so."""

    def advance(
        self, tick0: int, tick1: int, state: Bundle, theta: Bundle, inputs: Bundle
    ) -> Outcome:
        out = super().advance(tick0, tick1, state, theta, inputs)
        return Outcome(out.state, out.outputs, np.zeros_like(out.failed), out.exchanged, ())


class InPlace(Windkessel):
    """Writes into the state it was given."""

    def advance(
        self, tick0: int, tick1: int, state: Bundle, theta: Bundle, inputs: Bundle
    ) -> Outcome:
        out = super().advance(tick0, tick1, state, theta, inputs)
        state["volume"][:] = out.state["volume"]
        return out


class Nameless(Windkessel):
    """An output the vocabulary does not know."""

    def advance(
        self, tick0: int, tick1: int, state: Bundle, theta: Bundle, inputs: Bundle
    ) -> Outcome:
        out = super().advance(tick0, tick1, state, theta, inputs)
        return Outcome(
            out.state, {"pressure_of_something": out.outputs["mean_arterial_pressure"]},
            out.failed, out.exchanged, out.advice,
        )  # fmt: skip


_NEGATIVE = Parameter("mean_arterial_pressure", "Pa", Normal(12e3, 4e3), _FRANK)
_FROM_NOWHERE = Parameter("stressed_volume", "m3", Fixed(1.5e-4), Source(""))
_NO_USE = IntendedUse("", "", "", "low", "low")

FAULTS: dict[str, Windkessel] = {
    "homogeneous": HiddenConstant(),
    "bounded": Windkessel(parameters=(*Windkessel.parameters, _NEGATIVE)),
    "conserving": Leak(),
    "batched": Gossip(),
    "splitting": Restart(),
    "isolating": Silent(),
    "pure": InPlace(),
    "sourced": Windkessel(parameters=(_RESISTANCE, _COMPLIANCE, _FROM_NOWHERE)),
    "named": Nameless(outputs=(Port("pressure_of_something", "Pa"),)),
    "answerable": Windkessel(intended_use=_NO_USE),
    "cased": Windkessel(cases=()),
}

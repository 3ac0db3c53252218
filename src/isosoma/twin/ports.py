"""Organs coupled by named ports at macro-steps; a coupling of models is a model again.

Within a macro-step every organ runs alone, by its own step, on inputs held since the boundary::

    mean      time mean of an output over the macro-step   ──►  held input of the next one
    held      an output as it stands at the boundary       ──►  held input of the next one
    integral  what a source exchanged of a quantity [x]    ──►  rate [x/s] of the next one

What an integral link has taken and not yet given is part of the state (`owed`), so a conserved
quantity is conserved at every boundary. All organs read the boundary before any of them moves: the
order in which organs and links are written leaves no trace.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import Literal

import numpy as np
import numpy.typing as npt

from isosoma.core.errors import ModelError
from isosoma.core.model import Bundle, IntendedUse, Model, Outcome, Parameter, Port

__all__ = ["Coupled", "Kind", "Link"]

Floats = npt.NDArray[np.float64]
Kind = Literal["mean", "held", "integral"]
_Level = Literal["low", "medium", "high"]
_RANK: tuple[_Level, ...] = ("low", "medium", "high")


@dataclass(frozen=True, slots=True, order=True)
class Link:
    """What one organ tells another.

    Attributes
    ----------
    target : ``organ.input``.
    source : ``organ.output``; of an integral, ``organ.quantity`` among what it exchanges.
    kind : how it is carried over the boundary.
    factor : what it is multiplied by; -1 where the source's gain is the target's loss.
    """

    target: str
    source: str
    kind: Kind = "mean"
    factor: float = 1.0

    @property
    def key(self) -> str:
        """Name of the row of the state that carries it."""
        return f"{'owed' if self.kind == 'integral' else 'told'}.{self.source}>{self.target}"


@dataclass(frozen=True, slots=True)
class _Ran:
    """An organ after a macro-step: its outcome, time means of its outputs, what it exchanged."""

    outcome: Outcome
    means: dict[str, Floats]
    exchanged: dict[str, Floats]


@dataclass(frozen=True)
class Coupled:
    """Models under their organ's name, and the links between them; names read ``organ.name``.

    Attributes
    ----------
    step : macro-step [s], a whole number of steps of every organ.
    pieces : samples of an output in a macro-step, for its time mean.
    """

    organs: Mapping[str, Model]
    links: tuple[Link, ...]
    step: float
    pieces: int = 4
    name: str = "twin.coupled"
    cases: tuple[str, ...] = field(default=())

    def __post_init__(self) -> None:
        object.__setattr__(self, "organs", dict(sorted(self.organs.items())))
        object.__setattr__(self, "links", tuple(sorted(self.links)))
        for organ, model in self.organs.items():
            _check_step(organ, model, self.step)
        for link in self.links:
            _check_link(link, self.organs)
        _check_targets(self.links)

    @property
    def version(self) -> str:
        """Versions of all organs."""
        return ", ".join(f"{m.name} {m.version}" for m in self.organs.values())

    @property
    def parameters(self) -> tuple[Parameter, ...]:
        """Parameters of all organs."""
        return tuple(
            replace(p, name=f"{o}.{p.name}") for o, m in self.organs.items() for p in m.parameters
        )

    @property
    def states(self) -> tuple[Port, ...]:
        """States of all organs, and what is on its way between them."""
        own = [replace(p, name=f"{o}.{p.name}") for o, m in self.organs.items() for p in m.states]
        return (*own, *(Port(link.key, self._unit(link)) for link in self.links))

    @property
    def inputs(self) -> tuple[Port, ...]:
        """Inputs that no link holds; what comes from outside adds to a link's rate."""
        held = {link.target for link in self.links if link.kind != "integral"}
        found = (replace(p, name=f"{o}.{p.name}") for o, m in self.organs.items() for p in m.inputs)
        return tuple(p for p in found if p.name not in held)

    @property
    def outputs(self) -> tuple[Port, ...]:
        """Outputs of all organs, as they stand at the boundary."""
        return tuple(
            replace(p, name=f"{o}.{p.name}") for o, m in self.organs.items() for p in m.outputs
        )

    @property
    def intended_use(self) -> IntendedUse:
        """What may be asked of all organs together: no more than of the least of them."""
        uses = [m.intended_use for m in self.organs.values()]
        said = (" / ".join(getattr(u, n) for u in uses) for n in ("question", "context", "not_for"))
        question, context, not_for = said
        influence = _RANK[min(_RANK.index(u.influence) for u in uses)]
        consequence = _RANK[max(_RANK.index(u.consequence) for u in uses)]
        return IntendedUse(question, context, not_for, influence, consequence)

    def _unit(self, link: Link) -> str:
        unit = _input_of(link, self.organs).unit
        if link.kind != "integral":
            return unit
        return unit.removesuffix("/s") if unit.endswith("/s") else f"{unit}.s"

    def start(self, theta: Bundle) -> Bundle:
        """Return the state at tick 0: links hold their target's rest, and nothing is owed."""
        members = len(next(iter(theta.values())))
        state: dict[str, npt.NDArray[np.floating]] = {}
        for organ, model in self.organs.items():
            begun = model.start(_of(organ, theta))
            state |= {f"{organ}.{k}": v for k, v in begun.items()}
        for link in self.links:
            rest = 0.0 if link.kind == "integral" else _input_of(link, self.organs).rest
            state[link.key] = np.full(members, rest)
        return state

    def advance(
        self, tick0: int, tick1: int, state: Bundle, theta: Bundle, inputs: Bundle
    ) -> Outcome:
        """Return the outcome after `tick1` - `tick0` macro-steps; without any, no time passes."""
        members = len(next(iter(theta.values())))
        total = Outcome(state, {}, np.zeros(members, np.bool_))
        for tick in range(tick0, max(tick1, tick0 + 1)):
            ran = {
                organ: _run(self, organ, tick, total.state, theta, inputs, still=tick >= tick1)
                for organ in self.organs
            }
            total = _joined(self, total, ran, tick >= tick1)
        return total

    def conserved(self, state: Bundle, theta: Bundle) -> Mapping[str, npt.NDArray[np.float64]]:
        """Return the total of every quantity over all organs and what is on its way."""
        out: dict[str, Floats] = {}
        for organ, model in self.organs.items():
            for name, value in model.conserved(_of(organ, state), _of(organ, theta)).items():
                out[name] = out.get(name, 0.0) + value
        for link in self.links:
            name = link.source.partition(".")[2]
            if link.kind == "integral" and name in out:
                out[name] = out[name] + np.asarray(state[link.key])
        return out


def _of(organ: str, bundle: Bundle) -> dict[str, npt.NDArray[np.floating]]:
    """Return what belongs to an organ, by the organ's own names."""
    head = f"{organ}."
    return {k.removeprefix(head): v for k, v in bundle.items() if k.startswith(head)}


def _run(
    coupled: Coupled, organ: str, tick: int, state: Bundle, theta: Bundle, inputs: Bundle,
    *, still: bool,
) -> _Ran:  # fmt: skip
    """Run one organ over one macro-step, by nothing but what stood at its beginning."""
    model = coupled.organs[organ]
    given, own = _inputs(coupled, organ, state, inputs), _of(organ, theta)
    now = _of(organ, state)
    count = round(coupled.step / model.step)
    cuts = [tick * count + round(i * count / coupled.pieces) for i in range(coupled.pieces + 1)]
    if still:
        cuts = cuts[:1] * 2
    outcome = Outcome(now, {}, np.zeros(0, np.bool_))
    means, exchanged, failed = dict[str, Floats](), dict[str, Floats](), np.zeros(1, np.bool_)
    for a, b in _spans(cuts):
        outcome = model.advance(a, b, outcome.state, own, given)
        failed = failed | outcome.failed
        share = 1.0 if still else (b - a) / count
        for name, value in outcome.outputs.items():
            means[name] = means.get(name, 0.0) + share * np.asarray(value, np.float64)
        for name, value in outcome.exchanged.items():
            exchanged[name] = exchanged.get(name, 0.0) + value
    return _Ran(replace(outcome, failed=failed), means, exchanged)


def _spans(cuts: list[int]) -> Iterator[tuple[int, int]]:
    """Yield the pieces between cuts, leaving out those shorter than a step."""
    for a, b in pairwise(cuts):
        if b > a or len(cuts) == 2:
            yield a, b


def _inputs(coupled: Coupled, organ: str, state: Bundle, inputs: Bundle) -> Bundle:
    """Return an organ's inputs: from outside, and what the links hold."""
    given = _of(organ, inputs)
    for link in coupled.links:
        at, _, name = link.target.partition(".")
        if at != organ:
            continue
        if link.kind == "integral":
            given[name] = given[name] + np.asarray(state[link.key]) / coupled.step
        else:
            given[name] = np.asarray(state[link.key])
    return given


def _joined(coupled: Coupled, before: Outcome, ran: Mapping[str, _Ran], still: bool) -> Outcome:
    """Return all organs' outcomes as one, and carry the links over the boundary."""
    state: dict[str, npt.NDArray[np.floating]] = {}
    outputs: dict[str, npt.NDArray[np.floating]] = {}
    failed, exchanged = before.failed, dict(before.exchanged)
    for organ, done in ran.items():
        state |= {f"{organ}.{k}": v for k, v in done.outcome.state.items()}
        outputs |= {f"{organ}.{k}": v for k, v in done.outcome.outputs.items()}
        failed = failed | done.outcome.failed
        for name, value in done.exchanged.items():
            exchanged[name] = exchanged.get(name, np.zeros(len(value))) + value
    for link in coupled.links:
        held = np.asarray(before.state[link.key], np.float64)
        state[link.key] = held if still else _carried(link, held, ran, coupled.step)
        name = link.source.partition(".")[2]
        if link.kind == "integral" and name in exchanged:
            exchanged[name] = exchanged[name] + (state[link.key] - held)
    said = [a for done in ran.values() for a in done.outcome.advice]
    advice = tuple(dict.fromkeys((*before.advice, *said)))
    return Outcome(state, outputs, failed, exchanged, advice)


def _carried(link: Link, held: Floats, ran: Mapping[str, _Ran], step: float) -> Floats:
    """Return what a link holds after a boundary; what rounding left undelivered stays owed."""
    organ, _, name = link.source.partition(".")
    done = ran[organ]
    if link.kind == "integral":
        if name not in done.exchanged:
            raise ModelError(f"{organ} does not tell what it exchanged of {name}", link.source)
        return (held - held / step * step) + link.factor * done.exchanged[name]
    values = done.means if link.kind == "mean" else done.outcome.outputs
    return link.factor * np.asarray(values[name], np.float64)


def _check_step(organ: str, model: Model, step: float) -> None:
    count = step / model.step
    if not (count >= 1.0 and math.isclose(count, round(count), rel_tol=1e-9)):
        raise ModelError(
            f"a macro-step of {step:g} s is no whole number of steps of {model.step:g} s",
            organ, "Choose a multiple of every organ's step",
        )  # fmt: skip


def _port_of(name: str, ports: tuple[Port, ...], organs: Mapping[str, Model]) -> Port:
    organ, _, plain = name.partition(".")
    found = [p for p in ports if p.name == plain]
    if organ not in organs or not found:
        raise ModelError(f"there is no port {name}", todo="Name it organ.port, of a coupled organ")
    return found[0]


def _input_of(link: Link, organs: Mapping[str, Model]) -> Port:
    model = organs.get(link.target.partition(".")[0])
    return _port_of(link.target, model.inputs if model else (), organs)


def _check_link(link: Link, organs: Mapping[str, Model]) -> None:
    target = _input_of(link, organs)
    source = organs.get(link.source.partition(".")[0])
    if link.kind != "integral" or source is None:
        port = _port_of(link.source, source.outputs if source else (), organs)
        if port.unit != target.unit:
            raise ModelError(
                f"{link.source} is in {port.unit}, {link.target} in {target.unit}",
                todo="Link ports of one unit",
            )


def _check_targets(links: tuple[Link, ...]) -> None:
    """Refuse two links that hold one input; rates add up."""
    held = [link.target for link in links if link.kind != "integral"]
    rates = {link.target for link in links if link.kind == "integral"}
    for name in held:
        if held.count(name) > 1 or name in rates:
            raise ModelError(f"two links hold {name}", todo="Let one of them give it")

"""The demonstration: a hidden patient who lives in a thread, and what can be done to them.

What is said to the page comes from sensors; the truth leaves this file only when it is unsealed.
"""

from __future__ import annotations

import logging
import re
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from importlib.resources import files
from typing import Any

import numpy as np

from isosoma.core.errors import FormatError, IsosomaError, ModelError, RangeError
from isosoma.core.intervention import Intervention
from isosoma.core.observation import Observation
from isosoma.core.quantity import Z90, show_unit
from isosoma.core.units import from_si
from isosoma.core.vocabulary import VOCABULARY
from isosoma.organs.circulation.act_changes import interventions
from isosoma.organs.circulation.acts import Act, Amount, read_acts, write_act
from isosoma.organs.circulation.parameters import shown
from isosoma.quality.levelling import PER_CM
from isosoma.scenario.rehearsal import Option, Rehearsal
from isosoma.scenario.rehearsal_file import read_rehearsal
from isosoma.serve.arterial_line import means_of
from isosoma.serve.hidden import (
    FREED,
    PATIENT,
    Hidden,
    hidden,
    history,
    imaged,
    resting,
    started,
    vitals,
)  # fmt: skip
from isosoma.serve.live_twin import Keeper, folded
from isosoma.serve.plant import AHEAD, HZ, STANDING, Sensors, Signals, advanced, signals_of, stilled
from isosoma.serve.recording import Channel, Recording
from isosoma.twin.course import Running
from isosoma.twin.fold import Subject, Twin
from isosoma.twin.release import Release

__all__ = ["MOVED", "SUGGESTED", "Demo", "demo", "heart_team", "keeper_of", "misses"]

MOVED = "left coronary height 14 mm"
"""What if: the act that makes the transcatheter valve safe."""

RING = 7200.0
"""Length of the rings of samples [s]: memory is flat however long the page runs."""
_LEAD = 0.5  # [s] that samples are ready before they are shown
_LINE, _MONITOR, _CUFF = 5, 30, 60
"""Between two numbers of the line, of oximeter and ECG, and of the cuff [s]."""
_WATCHED = 180
"""Time that the line was watched before the page begins [s]."""
_TRANSDUCER = re.compile(r"(lower|raise) the transducer (?:by )?(\d+(?:\.\d+)?) ?cm")
_LEVEL = "level the transducer"
_ECG = {"take the ecg off": True, "put the ecg on": False}
_MOST = 50.0  # [cm]
SUGGESTED = (
    "lower the transducer 20 cm", _LEVEL, "bleed 800 mL in 10 min", "bleed 1500 mL in 5 min",
    "fluid 500 mL in 10 min", "tamponade 200 mL in 3 min", "drain tamponade", "atrial fibrillation",
    "cardiovert",
)  # fmt: skip
"""Acts that a page may offer; any other that changes no topology can be written."""


@dataclass(slots=True, eq=False)
class Demo:
    """The running demonstration; `heard` gets every reading, `now` gives the patient's time.

    `root` is what a CT told before, `wanted` the sample that the page asked for, `fault` why none
    can come, `died` whether the patient has: the page then shows silence, and alarms on it.
    """

    truth: Hidden
    recording: Recording
    signals: Signals
    rng: np.random.Generator
    began: int
    root: tuple[Observation, ...] = ()
    run: Running | None = None
    past: tuple[Observation, ...] = ()
    acts: tuple[Act, ...] = ()
    plan: tuple[Intervention, ...] = ()
    sensors: Sensors = field(default_factory=Sensors)
    heard: Callable[[Sequence[Observation]], Any] = lambda _: None
    wanted: int = 0
    fault: str = ""
    died: bool = False
    change: threading.Condition = field(default_factory=threading.Condition)
    over: threading.Event = field(default_factory=threading.Event)

    @property
    def said(self) -> list[str]:
        """Return what was done to the patient, as an act is written."""
        return [write_act(a) for a in self.acts]

    def ready(self, sample: int) -> bool:
        """Return whether all samples before `sample` are there; ask for those after it."""
        if self.fault:
            raise ModelError(self.fault, todo="Start the demonstration again")
        with self.change:
            self.wanted = sample
            self.change.notify_all()
        return self.signals.made - int(AHEAD * HZ) >= sample

    def now(self) -> int:
        """Return the time at the newest sample that is shown [ns]."""
        return self.began + round(self.wanted / HZ * 1e9)

    def act(self, text: str) -> dict[str, str]:
        """Do something to the patient or to a sensor, at once; return what was done to which.

        Raises
        ------
        FormatError, RangeError, UnitError, ModelError
            It cannot be done; nothing was changed.
        """
        said = " ".join(text.casefold().split())
        sensors = _moved(said, self.sensors)
        if sensors is not None:
            self.sensors = sensors
            return {"done": said, "to": "sensor"}
        new = read_acts([text])
        self._do(new)
        return {"done": "; ".join(write_act(a) for a in new), "to": "patient"}

    def perform(self, option: Option) -> None:
        """Do what a signed option says, from now on.

        Raises
        ------
        ModelError
            It changes the topology, or there is nobody to do it to; nothing was changed.
        """
        self._do([step.act for step in option.steps])

    def _do(self, new: Sequence[Act]) -> None:
        for a in new:
            if a.row.edit:
                raise ModelError("the demonstration's patient is not operated on", write_act(a),
                                 "Rehearse it on the twin")  # fmt: skip
        with self.change:
            if self.run is None or self.died:
                said = "the patient has died" if self.died else "the patient is not there yet"
                raise ModelError(said, todo="Begin again" if self.died else "Try in a moment")
            at = float(np.ceil(2.0 * (self.run.time + 0.2)) / 2.0)
            acts = (*self.acts, *(replace(a, at=Amount(a.at.si + at, "s")) for a in new))
            plan = interventions(acts, self.truth.person)
            self.acts, self.plan = acts, plan

    def live(self) -> None:
        """Live until `over`; a fault is kept, and said to whoever asks for samples."""
        try:
            run = started(self.truth)
            line = _line_before(resting(run), self.began, self.rng)
            self.past = (*history(run, self.began, self.rng), *means_of(line))
            self.heard(self.past)
            self.heard(line)
            self.run = run
            while not self.over.is_set():
                self._step()
        except IsosomaError as error:
            self.fault = str(error)
        except Exception as error:
            self.fault = f"the hidden patient: {type(error).__name__}: {error}"
            logging.getLogger("uvicorn.error").exception("the hidden patient")

    def _step(self) -> None:
        """Make the next samples once they are wanted, and the readings that are due."""
        due = int((AHEAD + _LEAD) * HZ)
        with self.change:
            self.change.wait_for(lambda: self.signals.made < self.wanted + due, 0.5)
            if self.signals.made >= self.wanted + due or self.run is None:
                return
            run, plan, sensors = self.run, self.plan, self.sensors
        if not self.died:
            try:
                self.run = advanced(run, plan, self.signals, sensors)
            except ModelError:  # nothing circulates any more
                self.died = True
        if self.died:
            stilled(self.signals, sensors)
        second, rest = divmod(self.signals.made, int(HZ))
        if rest == 0:
            self._measure(second, sensors)

    def _measure(self, second: int, sensors: Sensors) -> None:
        if self.run is None or second % _LINE:
            return
        model, run = self.run.model, self.run
        out = model.advance(run.tick, run.tick, run.state, run.theta, run.inputs).outputs
        values = {name: float(v[0]) for name, v in out.items()}
        at = self.began + second * 10**9
        if self.died:  # neither cuff nor oximeter nor ECG finds anything to measure
            self.heard(_line(dict.fromkeys(values, STANDING), at, sensors))
            return
        found = _line(values, at, sensors)
        if second % _MONITOR == 0:
            found += vitals(values, at, self.rng, cuff=second % _CUFF == 0)
        self.heard([o for o in found if not (sensors.ecg_off and o.device == "ecg")])


def demo(seed: int | None = None, ring: float = RING) -> Demo:
    """Return a demonstration that has not begun to live; `ring` is its memory of samples [s]."""
    truth = hidden(seed)
    rng = np.random.default_rng(seed)
    signals = signals_of(ring, rng)
    channels = (
        Channel("II", "ecg", signals.ecg),
        Channel("ABP", "arterial_pressure", signals.line),
        Channel("PLETH", "plethysmogram", signals.pulse),
    )
    recording = Recording("demonstration", "simulated", HZ, channels)
    began = time.time_ns()
    made = Demo(truth, recording, signals, rng, began, imaged(truth, began, rng))
    made.recording = replace(recording, feeder=made)
    return made


def keeper_of(made: Demo, release: Release | None = None) -> Keeper:
    """Return the twin that follows a demonstration's patient, knowing only what was read."""
    arrived = threading.Event()

    def heard(readings: Sequence[Observation]) -> None:
        if arrived.is_set():
            keeper.offer(readings)
        arrived.set()

    def build(told: Callable[[float], Any]) -> Twin:
        while not arrived.wait(0.2):
            if made.fault or keeper.over.is_set():
                raise ModelError(made.fault or "the page ended", todo="Start it again")
        subject = Subject(PATIENT, made.truth.person, FREED, made.root)
        return folded(made.past, subject, release or Release(), made.now(), told)

    keeper = Keeper(build, made.now)
    made.heard = heard
    return keeper


def _moved(said: str, sensors: Sensors) -> Sensors | None:
    """Return the sensors after an act on them; None where it is none."""
    if said == _LEVEL:
        return replace(sensors, lowered=0.0)
    if said in _ECG:
        return replace(sensors, ecg_off=_ECG[said])
    found = _TRANSDUCER.fullmatch(said)
    if found is None:
        if "transducer" in said:
            raise FormatError(f"{said!r} is nothing that a transducer takes", "act",
                              f"Say: lower the transducer 20 cm, or {_LEVEL}")  # fmt: skip
        return None
    lowered = sensors.lowered + float(found[2]) * (1.0 if found[1] == "lower" else -1.0)
    if abs(lowered) > _MOST:
        raise RangeError(f"the transducer would lie {lowered:g} cm from the heart", "act",
                         f"Keep it within {_MOST:g} cm")  # fmt: skip
    return replace(sensors, lowered=lowered)


def _line_before(
    values: dict[str, float], began: int, rng: np.random.Generator
) -> list[Observation]:
    """Return the numbers of the line in the last minutes before the page, at rest."""
    ats = range(began - _WATCHED * 10**9, began, _LINE * 10**9)
    before = [_line(values, at, Sensors()) for at in ats]
    return [replace(o, value=o.value + o.sigma * rng.standard_normal()) for r in before for o in r]


def _line(values: dict[str, float], at: int, sensors: Sensors) -> list[Observation]:
    """Return the numbers of the arterial line."""
    names = ("systolic_pressure", "diastolic_pressure", "mean_arterial_pressure")
    offset = sensors.lowered * PER_CM
    return [
        Observation(PATIENT, n, at, at, values[n] + offset, 133.3, device="arterial line",
                    channel="ABP", origin="demonstration")
        for n in names
    ]  # fmt: skip


def heart_team() -> Rehearsal:
    """Return the question that a heart team has about the demonstration's patient."""
    return read_rehearsal(files("isosoma.serve").joinpath("heart_team.toml").read_text("utf-8"))


def misses(
    truth: Hidden, twin: Twin | None, root: Sequence[Observation] = ()
) -> list[dict[str, Any]]:
    """Return each unknown's truth beside what twin or CT (`root`) told of it, in shown units."""
    from isosoma.serve.cli_build import unknowns_of

    rows = {row["name"]: row for row in (unknowns_of(twin) if twin else [])}
    out: list[dict[str, Any]] = []
    for name, value in truth.unknowns.items():
        unit = shown(name)
        row: dict[str, Any] = {"name": name, "unit": show_unit(unit), "truth": from_si(value, unit)}
        if name in rows:
            found = rows[name]["posterior"]
            row |= found
            row["inside"] = found["low"] <= row["truth"] <= found["high"]
            row["informed"] = rows[name]["informed"]
        out.append(row)
    return [*out, *(_imaged(truth, o) for o in root)]


def _imaged(truth: Hidden, o: Observation) -> dict[str, Any]:
    unit = VOCABULARY[o.variable].shown
    true, low, median, high = (
        from_si(v, unit)
        for v in (truth.root[o.variable], o.value - Z90 * o.sigma, o.value, o.value + Z90 * o.sigma)
    )
    row: dict[str, Any] = {"name": o.variable, "unit": show_unit(unit), "truth": true}
    row |= {"low": low, "median": median, "high": high}
    return row | {"inside": low <= true <= high, "informed": False}

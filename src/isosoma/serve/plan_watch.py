"""A signed plan over the live patient: its band, whether the patient left it, why, how good it was.

::

    begun ─► readings, once a second ─► Watching ─► left: told at once, explained, again a minute on
                                           └──────► over: scored, and the score kept

Nothing is learnt here and nothing is ordered: it compares what was signed with what is read.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from isosoma.core.errors import AccessError, InputError, IsosomaError
from isosoma.core.observation import Observation
from isosoma.quality.cuff import is_line
from isosoma.scenario.ensemble import begun as beginning
from isosoma.scenario.ensemble import of_twin, standing
from isosoma.scenario.explanation import EVERY, aligned, explain, explained
from isosoma.scenario.hindsight import score, scored
from isosoma.scenario.playing import plans_of
from isosoma.scenario.prediction import Prediction, begun
from isosoma.scenario.rehearsal import Option
from isosoma.scenario.watching import Watching, watch
from isosoma.serve.live_twin import Keeper
from isosoma.serve.plan import Plan, message_of
from isosoma.serve.shelf import Shelf
from isosoma.twin.fold import Twin
from isosoma.twin.history import as_of

__all__ = ["PlanWatch"]

_AGAIN = (60.0, 180.0)
"""After the alert, when causes are ranked again with what was read since [s]."""
_TOLD = 8
"""Members that play each cause."""
_RATE = 5.0
"""Between two heart rates that are taken from the ECG [s]."""


@dataclass(slots=True, eq=False)
class PlanWatch:
    """The plan of one patient that runs now, or ran last.

    Attributes
    ----------
    keeper : whose readings are watched, and who tells the page. shelf : where plans are kept.
    rate : gives the heart rate that the ECG tells at an instant [ns].
    perform : does an option to the patient, where that is a demonstration's.
    """

    keeper: Keeper
    shelf: Shelf
    rate: Callable[[int], Observation | None] = lambda _: None
    perform: Callable[[Option], None] = lambda _: None
    plan: Plan | None = None
    _resumed: bool = False

    def begin(self, id_: str) -> None:
        """Let a signed plan begin now.

        Raises
        ------
        AccessError
            No plan was locked, it has begun, or another one runs. ModelError : the demonstration's
            patient cannot be treated so; nothing was kept.
        """
        if self.plan is not None and not self.plan.over:
            raise AccessError("another plan is under way", todo="Wait until it is over")
        said = self.shelf.predictions().get(id_)
        if said is None:
            raise AccessError("no plan was signed here", "plan", "Sign an option first")
        draft = begun(said, self.keeper.now())
        self.perform(self.shelf.case(id_).rehearsal.option(said.option))
        self.shelf.append([draft])
        self._take(self.shelf.predictions()[id_])

    def step(self) -> None:
        """Look at what was read since; call it about once a second, never twice at a time."""
        if not self._resumed:
            self._resume()
        plan = self.plan
        if plan is None or plan.over:
            return
        now = (self.keeper.now() - plan.prediction.at) / 1e9
        left = self._read(plan, now)
        if left or now - plan.said >= EVERY:
            self._tell(plan, now)
        alert = plan.state.alert
        if alert is not None and self._due(plan, now - alert.time):
            self._explain(plan, min(now, float(plan.prediction.times[-1])))
            self._tell(plan, now)
        if now > plan.prediction.times[-1]:
            self._end(plan, now)

    def _resume(self) -> None:
        """Go on with the plan that was begun last, where a server before this one began it."""
        if self.keeper.twin is None:
            return
        self._resumed = True
        done, open_ = self.shelf.scores(), self.shelf.predictions().values()
        last = max((p for p in open_ if p.begun and p.id not in done), key=lambda p: p.at,
                   default=None)  # fmt: skip
        if last is not None and self.plan is None:
            self._take(last, self.keeper.twin)

    def _take(self, said: Prediction, twin: Twin | None = None) -> None:
        """Watch a plan, with what a twin has learnt from since it began."""
        self.plan = Plan(self.shelf.case(said.id).rehearsal, Watching(said))
        for r in () if twin is None else (*twin.first, *twin.timeline.readings):
            self.plan.state, _ = watch(self.plan.state, r.observation)

    def _read(self, plan: Plan, now: float) -> bool:
        """Take what was read since; return whether that told of a leave."""
        found = list(self.keeper.lessons.seen)
        if now - plan.rated >= _RATE and (rate := self.rate(self.keeper.now())) is not None:
            plan.rated = now
            found.append(rate)
        left = False
        for o in sorted(found, key=lambda o: o.at):
            key = (o.device, o.variable)
            if o.at <= plan.upto.get(key, -1):
                continue
            plan.upto[key] = o.at
            if not self._faulty(o):
                plan.state, alert = watch(plan.state, o)
                left |= alert is not None
        if left:
            plan.ranked = 0
        return left

    def _faulty(self, o: Observation) -> bool:
        """Whether a reading is of a line whose set-up is wrong: it tells of no patient."""
        return is_line(o) and any(f.kind == "levelling" and o.at >= f.since
                                  for f in self.keeper.lessons.faults)  # fmt: skip

    def _due(self, plan: Plan, since: float) -> bool:
        return plan.ranked == 0 or (plan.ranked <= len(_AGAIN) and since >= _AGAIN[plan.ranked - 1])

    def _explain(self, plan: Plan, now: float) -> None:
        """Rank what may be why, and keep it."""
        alert, twin = plan.state.alert, self.keeper.twin
        plan.ranked += 1
        if alert is None or twin is None:
            return
        at = plan.prediction.at
        try:
            stood = as_of(twin, at)
            ensemble = of_twin(stood, max(at, stood.belief.at), _TOLD)
            before, plans = plans_of(plan.rehearsal, ensemble)
            acts = plans[[o.name for o in plan.rehearsal.options].index(plan.prediction.option)]
            run, _ = standing(beginning(ensemble, (*before, *acts)), before)
            seen = aligned(plan.state, now)
            plan.explanations = explain(run, acts, ensemble.person, seen, alert.onset)
            plan.why_not = ""
        except IsosomaError as error:
            plan.why_not = str(error)
        self.shelf.append([explained(plan.prediction.id, alert, plan.explanations)])

    def _end(self, plan: Plan, now: float) -> None:
        """Score the prediction with all that was read of its time, and keep that."""
        plan.over = True
        readings = [
            Observation("", n, plan.prediction.at + round(r.time * 1e9), 0, r.value, r.sigma)
            for n, rows in plan.state.seen.items() for r in rows
        ]  # fmt: skip
        try:
            plan.scores = dict(score(plan.prediction, readings))
        except InputError as error:
            plan.why_not = str(error)
        self.shelf.append([scored(plan.prediction, plan.scores)])
        self._tell(plan, now)

    def _tell(self, plan: Plan, now: float) -> None:
        plan.said = now
        self.keeper.put("plan", message_of(plan, now))

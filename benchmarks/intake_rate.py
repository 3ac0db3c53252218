"""How fast intake makes readings durable: FHIR bundles of 100 observations, and blocks of ECG.

``python benchmarks/intake_rate.py`` prints a table and, as its last line, one JSON object.
The whole way is measured: parsed, validated, judged, encrypted, hashed into the Merkle log, signed,
and committed by SQLite with ``synchronous=FULL``. Rates are per core: divided by the processor time
of all threads, the best of three runs; the rates by the clock on the wall stand beside them and
also hold the disk's wait.
"""

from __future__ import annotations

import argparse
import cProfile
import json
import pstats
import tempfile
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from isosoma.core.observation import Observation, Waveform
from isosoma.exchange.fhir import read_fhir
from isosoma.exchange.mqtt_frames import decode, encode_waveform
from isosoma.intake import Session, Summary, submit, take
from isosoma.record import Log, open_log
from isosoma.signals.synthetic import synthesise

PATIENT = "patient-under-test"
NOW = 1_780_000_000_000_000_000  # 2026-05-28, [ns]
SECOND = 10**9
WAITING = 32  # bundles that may be on their way to the disk, as a busy ward's gateway has them

# LOINC code, UCUM unit, lowest and highest value of an ordinary patient, decimals.
_VITALS = (
    ("8867-4", "/min", 62, 78, 0), ("8889-8", "/min", 62, 78, 0), ("59408-5", "%", 95, 99, 0),
    ("61006-3", "%", 1, 4, 1), ("9279-1", "/min", 12, 18, 0), ("8310-5", "Cel", 36.4, 37.4, 1),
    ("8480-6", "mm[Hg]", 112, 126, 0), ("8462-4", "mm[Hg]", 68, 78, 0),
    ("8478-0", "mm[Hg]", 84, 92, 0), ("60985-9", "mm[Hg]", 4, 9, 0),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Rate:
    """Readings (or samples), and the seconds they took: of processor time, and on the wall."""

    count: int
    cpu: float
    wall: float

    @property
    def per_core(self) -> float:
        """Per second of processor time of all threads together [1/s]."""
        return self.count / self.cpu

    @property
    def per_wall(self) -> float:
        """Per second on the wall [1/s]."""
        return self.count / self.wall


def bundles(count: int, seed: int = 1) -> list[bytes]:
    """Return `count` FHIR bundles of 100 observations each: ten vital signs at ten instants."""
    chance = np.random.Generator(np.random.Philox(key=seed))
    return [_bundle(i, chance) for i in range(count)]


def _bundle(number: int, chance: np.random.Generator) -> bytes:
    entries: list[object] = []
    for k in range(10):
        second = 10 * number + k
        day, rest = divmod(second, 86_400)
        when = f"2026-05-{1 + day:02d}T{rest // 3600:02d}:{rest // 60 % 60:02d}:{rest % 60:02d}Z"
        for code, unit, low, high, digits in _VITALS:
            value = round(float(chance.uniform(low, high)), digits)
            entries.append({"resource": _resource(f"{second}-{code}", code, when, value, unit)})
    return json.dumps({"resourceType": "Bundle", "type": "collection", "entry": entries}).encode()


def _resource(name: str, code: str, when: str, value: float, unit: str) -> dict[str, object]:
    """Return an observation as a monitor's gateway writes it: US Core vital signs, no more."""
    category = "http://terminology.hl7.org/CodeSystem/observation-category"
    quantity = {"value": value, "unit": unit, "system": "http://unitsofmeasure.org", "code": unit}
    return {
        "resourceType": "Observation",
        "id": name,
        "status": "final",
        "category": [{"coding": [{"system": category, "code": "vital-signs"}]}],
        "code": {"coding": [{"system": "http://loinc.org", "code": code}]},
        "subject": {"reference": f"Patient/{PATIENT}"},
        "effectiveDateTime": when,
        "device": {"reference": "Device/monitor-7"},
        "valueQuantity": quantity,
    }


def blocks(count: int, seconds: float, hz: float = 250.0) -> list[Waveform]:
    """Return `count` successive blocks of a simulated ECG, each of `seconds` [s]."""
    made = synthesise(120.0, hz, seed=3).ecg
    scale = 5e-6  # [V]
    samples = np.round(np.asarray(made).ravel() / scale).astype(np.int16)
    n = round(seconds * hz)
    whole = np.resize(samples, count * n).reshape(count, n)
    # a different count of noise in each block, so that no two are the same bytes
    noise = np.random.Generator(np.random.Philox(key=2)).integers(-2, 3, whole.shape, np.int16)
    first = NOW - 86_400 * SECOND
    return [
        Waveform(PATIENT, "ecg", first + round(i * seconds * SECOND), NOW, hz, row, scale,
                 device="monitor-7", channel="II", seq=i, origin="mqtt")
        for i, row in enumerate(whole + noise)
    ]  # fmt: skip


@contextmanager
def _fresh() -> Iterator[Log]:
    with tempfile.TemporaryDirectory() as folder, open_log(Path(folder) / "log") as log:
        yield log


def _through(log: Log, deliveries: Iterable[Callable[[], list[Observation | Waveform]]]) -> Summary:
    """Take deliveries in, some of them on their way at a time; return once all are on disk."""
    session, total = Session(PATIENT), Summary()
    waiting: deque[Future[Summary]] = deque()
    for read in deliveries:
        waiting.append(submit(log, read(), patient=PATIENT, now=NOW, session=session))
        if len(waiting) >= WAITING:
            total += waiting.popleft().result()
    return sum((f.result() for f in waiting), total)


def _one_by_one(log: Log, deliveries: list[Callable[[], list[Observation | Waveform]]]) -> Summary:
    """Take deliveries in, each on disk before the next is read."""
    session = Session(PATIENT)
    takes = (take(log, r(), patient=PATIENT, now=NOW, session=session) for r in deliveries)
    return sum(takes, Summary())


Run = Callable[[Log, list[Callable[[], list[Observation | Waveform]]]], Summary]


def _timed(run: Run, make: list[Callable[[], list[Observation | Waveform]]]) -> Rate:
    """Warm up, then return the quickest of three runs, the one least disturbed by other work."""
    with _fresh() as log:
        run(log, make[: max(1, len(make) // 10)])
    return max((_once(run, make) for _ in range(3)), key=lambda rate: rate.per_core)


def _once(run: Run, make: list[Callable[[], list[Observation | Waveform]]]) -> Rate:
    with _fresh() as log:
        cpu, wall = time.process_time(), time.perf_counter()
        summary = run(log, make)
        rate = Rate(
            summary.samples or summary.accepted,
            time.process_time() - cpu,
            time.perf_counter() - wall,
        )
        assert summary.duplicates == summary.withheld == 0, summary
    return rate


def _from_fhir(body: bytes) -> Callable[[], list[Observation | Waveform]]:
    return lambda: read_fhir(body, subject=PATIENT, received=NOW)


def _from_objects(body: bytes) -> Callable[[], list[Observation | Waveform]]:
    readings = read_fhir(body, subject=PATIENT, received=NOW)
    return lambda: readings


def _from_frame(wave: Waveform) -> Callable[[], list[Observation | Waveform]]:
    topic, payload = encode_waveform(wave)
    return lambda: decode(topic, payload, NOW)


def _from_block(wave: Waveform) -> Callable[[], list[Observation | Waveform]]:
    return lambda: [wave]


def rates(scale: float = 1.0) -> dict[str, Rate]:
    """Measure every way in; `scale` makes all of them shorter or longer."""
    bodies = bundles(max(20, int(150 * scale)))
    minutes = blocks(max(20, int(200 * scale)), 60.0)
    seconds = blocks(max(20, int(400 * scale)), 1.0)
    return {
        "observations": _timed(_through, [_from_fhir(b) for b in bodies]),
        "observations_one_bundle_at_a_time": _timed(_one_by_one, [_from_fhir(b) for b in bodies]),
        "observations_without_parsing": _timed(_through, [_from_objects(b) for b in bodies]),
        "samples": _timed(_through, [_from_block(w) for w in minutes]),
        "samples_mqtt_60_s": _timed(_through, [_from_frame(w) for w in minutes]),
        "samples_mqtt_1_s": _timed(_through, [_from_frame(w) for w in seconds]),
    }


def measure() -> dict[str, float]:
    """Return ``{way}_per_s`` per core, and ``{way}_per_wall_s`` by the clock [1/s]."""
    found = rates()
    out: dict[str, float] = {}
    for name, rate in found.items():
        out[f"{name}_per_s"] = round(rate.per_core)
        out[f"{name}_per_wall_s"] = round(rate.per_wall)
    return out


def profile(kind: str) -> None:
    """Print where the calling thread's time goes, and how much the writing thread takes."""
    if kind == "fhir":
        make = [_from_fhir(b) for b in bundles(300)]
    elif kind == "observations":
        make = [_from_objects(b) for b in bundles(300)]
    else:
        make = [_from_block(w) for w in blocks(300, 60.0 if kind == "blocks" else 1.0)]
    with _fresh() as log:
        _through(log, make[:30])
    with _fresh() as log, cProfile.Profile() as seen:
        own, cpu = time.thread_time(), time.process_time()
        _through(log, make)
        own, cpu = time.thread_time() - own, time.process_time() - cpu
    pstats.Stats(seen).sort_stats("tottime").print_stats(30)
    print(f"this thread {own:.3f} s (slowed by the profile), all threads {cpu:.3f} s")


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--profile", choices=("fhir", "observations", "blocks", "frames"))
    given = parser.parse_args()
    if given.profile:
        profile(given.profile)
        return
    found = measure()
    for name in (n for n in found if not n.endswith("_wall_s")):
        way = name.removesuffix("_per_s")
        wall = found[f"{way}_per_wall_s"]
        print(f"{way:36} {found[name]:>12,} /s per core {wall:>12,} /s wall")
    print(json.dumps(found))


if __name__ == "__main__":
    main()

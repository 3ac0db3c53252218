"""The gate on real recordings: glucose sensors pass, noise on an ECG is seen."""

from __future__ import annotations

import csv
import gzip
import lzma
from datetime import UTC, datetime
from itertools import combinations

import numpy as np
import pytest

from isosoma.core.observation import WITHHOLD_BELOW, Observation
from isosoma.quality import exchanged, judge_many, mismatched, start
from isosoma.quality.ecg import indices, weight_of, window_beats

MG_DL = 0.01 / 0.18016


def sensors(path, most):
    """Readings by person of a CGM table, at most `most` people."""
    people: dict[str, list[Observation]] = {}
    with gzip.open(path, "rt", newline="") as file:
        for i, row in enumerate(csv.DictReader(file)):
            if row["id"] not in people and len(people) >= most:
                continue
            if not row["gl"] or row["gl"] == "NA":
                continue
            at = int(datetime.fromisoformat(row["time"]).replace(tzinfo=UTC).timestamp()) * 10**9
            people.setdefault(row["id"], []).append(
                Observation(
                    "p",
                    "interstitial_glucose",
                    at,
                    at,
                    float(row["gl"]) * MG_DL,
                    9 * MG_DL,
                    device="cgm",
                    seq=i,
                )
            )
    return people


@pytest.mark.parametrize("name", ["hall2018", "colas2019"])
def test_glucose_sensors_are_not_rejected_in_mass(shared_data, name, capsys):
    people = sensors(shared_data / f"signals/cgm/{name}_dev.csv.gz", 30)
    weights = []
    for readings in people.values():
        readings.sort(key=lambda o: (o.at, o.seq))
        weights += [v.weight for v in judge_many(start(), readings)[1]]
    w = np.array(weights)
    withheld, doubted = float(np.mean(w < WITHHOLD_BELOW)), float(np.mean(w < 1))
    with capsys.disabled():
        print(f"\n{name}: {w.size} readings, {withheld:.4f} withheld, {doubted:.4f} doubted")
    assert w.size > 5000
    assert withheld < 0.02
    assert doubted < 0.10


def channel_zero(path):
    """Channel 0 of a two-channel format 212 record [counts]."""
    with lzma.open(path) as file:
        b = np.frombuffer(file.read(), np.uint8).reshape(-1, 3).astype(np.int32)
    x = ((b[:, 1] & 0x0F) << 8) | b[:, 0]
    return np.where(x > 2047, x - 4096, x).astype(float)


def auc(good, bad):
    both = np.concatenate((good, bad))
    _, where, count = np.unique(both, return_inverse=True, return_counts=True)
    ranks = (np.cumsum(count) - 0.5 * (count - 1))[where]
    n, m = len(good), len(bad)
    return float((ranks[:n].sum() - n * (n + 1) / 2) / (n * m))


def test_indices_tell_noise_from_ecg(shared_data, capsys):
    """Every second window gets muscle, motion or step noise of 0.6 to 1.5 QRS."""
    folder = shared_data / "signals/mitdb"
    names = sorted(p.name for p in folder.glob("*.dat.xz"))[:15]
    g, hz, n = np.random.default_rng(0), 360.0, 3600
    rows: dict[bool, list[tuple[float, ...]]] = {True: [], False: []}
    for name in names:
        x = channel_zero(folder / name)
        for i, at in enumerate(range(36_000, 36_000 + 16 * 36_000, 36_000)):
            w = x[at : at + n]
            noisy = i % 2 == 1
            if noisy:
                size = g.uniform(0.6, 1.5) * np.quantile(np.abs(w - np.median(w)), 0.995)
                kind = i // 2 % 3
                muscle = g.normal(0, 0.5, n)
                motion = np.convolve(g.normal(0, 1, n), np.hanning(60), "same") / 5
                steps = np.repeat(g.normal(0, 1, n // 90), 90)
                w = w + size * (muscle, motion, steps)[kind]
            found = indices(w, hz)
            rows[noisy].append((found.k, found.b, found.t, weight_of(found)))
    good, bad = np.array(rows[False]), np.array(rows[True])
    told = {
        key: (round(auc(good[:, i], bad[:, i]), 3), float(np.median(good[:, i]).round(2)),
              float(np.median(bad[:, i]).round(2)))
        for i, key in enumerate(("kSQI", "bSQI", "tSQI", "weight"))
    }  # fmt: skip
    withheld = [float(np.mean(m[:, 3] < WITHHOLD_BELOW)) for m in (good, bad)]
    with capsys.disabled():
        print(f"\nAUC, median clean, median noisy: {told}; withheld clean, noisy: {withheld}")
    assert told["kSQI"][0] > 0.95
    assert told["tSQI"][0] > 0.90
    assert told["bSQI"][0] > 0.75
    assert told["weight"][0] > 0.95
    assert withheld[0] < 0.10


def smooth(x, width):
    return np.convolve(x, np.full(width, 1 / width), mode="same")


def pulse_times(x, hz):
    """Steepest rise of each pulse [s]."""
    band = smooth(x - smooth(x, round(hz)), round(0.05 * hz))
    return window_beats(np.maximum(np.gradient(band), 0), hz)


def bed(folder, name):
    """R times and pulse times [s] of a recorded bed."""
    if name == "a103l":
        x = np.frombuffer((folder / "a103l.mat").read_bytes()[24:], "<i2").reshape(-1, 3)
        ecg, pulse, hz, slow = x[:, 0], x[:, 2], 250.0, 250.0
    else:
        b = np.frombuffer((folder / f"{name}.dat").read_bytes(), np.uint8)
        b = b[: b.size // 3 * 3].reshape(-1, 3).astype(np.int32)
        z = np.stack((((b[:, 1] & 15) << 8) | b[:, 0], ((b[:, 1] & 0xF0) << 4) | b[:, 2]), 1)
        z = np.where(z > 2047, z - 4096, z).ravel()
        x = z[: z.size // 4 * 4].reshape(-1, 4) if name == "v102s" else z[:450_000].reshape(-1, 6)
        if name == "v102s":
            ecg, pulse, hz, slow = x[:, 0], x[:, 2], 250.0, 250.0
        else:
            ecg, pulse, hz, slow = x[:, :4].ravel(), x[:, 4], 500.0, 125.0
    ecg = ecg - np.median(ecg)
    band = smooth(ecg - smooth(ecg, round(0.12 * hz)), round(0.02 * hz))
    return window_beats(np.abs(band), hz) / hz, pulse_times(pulse.astype(float), slow) / slow


def test_recorded_beds_are_told_apart_by_their_pulse(shared_data, capsys):
    """Two sensors of one bed pass, noise included; of any two beds they are seen."""
    folder = shared_data / "signals/icu_waveforms"
    beds = {name: bed(folder, name) for name in ("a103l", "v102s", "03700181")}

    def cut(x, t):
        return x[(x > t) & (x < t + 60)]

    own, other, swaps, kept = [], [], [], []
    for a, b in combinations(beds.values(), 2):
        for t in range(0, 300, 60):
            (ra, pa), (rb, pb) = [(cut(r, t), cut(p, t)) for r, p in (a, b)]
            own += [mismatched(ra, pa), mismatched(rb, pb)]
            other += [mismatched(ra, pb), mismatched(rb, pa)]
            swaps.append(exchanged(ra, pb, rb, pa))
            kept.append(exchanged(ra, pa, rb, pb))
    told = [float(np.mean([f is not None for f in x])) for x in (own, other, swaps, kept)]
    with capsys.disabled():
        print("\nrecorded beds: own, other, swapped, kept", told)
    assert told[0] == told[3] == 0.0
    assert told[1] >= 0.95
    assert told[2] >= 0.3  # one bed's ECG is too noisy to follow

"""Hostile files at the door of the command line: a sentence, no trace, and the log as it was."""

from __future__ import annotations

import hashlib
import json
import lzma
import struct
import tracemalloc

import numpy as np
import pytest

from isosoma.record import open_log
from isosoma.serve.cli import main

NOW = "2026-02-23T07:00:00Z"
AHEAD = "2026-02-23T07:05:01Z"  # a clock may run ahead by 5 min
WHEN = "2026-02-20T07:00:00Z"
UCUM = "http://unitsofmeasure.org"
MIB = 1 << 20


def fhir(value: object = 72, unit: str = "/min", patient: str = "p", when: str = WHEN) -> dict:
    return {
        "resourceType": "Observation", "status": "final",
        "code": {"coding": [{"system": "http://loinc.org", "code": "8867-4"}]},
        "subject": {"reference": f"Patient/{patient}"}, "effectiveDateTime": when,
        "valueQuantity": {"value": value, "system": UCUM, "code": unit},
    }  # fmt: skip


def number(text: str) -> bytes:
    """Return an observation whose value is written as `text`."""
    return json.dumps(fhir(987654)).replace("987654", text).encode()


def bundle(*resources: dict) -> dict:
    entries = [{"resource": r} for r in resources]
    return {"resourceType": "Bundle", "type": "collection", "entry": entries}


def omh(value: object = 72, when: str = WHEN, **more: object) -> dict:
    return {"heart_rate": {"value": value, **more}, "effective_time_frame": {"date_time": when}}


BEATS = {"unit": "beats/min"}


def hl7(patient: str = "p", value: str = "72", unit: str = "/min", at: str = "20260220080000+0100"):
    rows = [
        "MSH|^~\\&|||||20260220||ORU^R01|1|P|2.6", f"PID|1||{patient}", f"OBR|1||||||{at}",
        f"OBX|1|NM|8867-4^HR^LN||{value}|{unit}|||||F",
    ]  # fmt: skip
    return "\r".join(rows) + "\r"


def table(*rows: str, names: str = "time,heart_rate", units: str = "ISO8601,/min") -> str:
    return "\n".join([names, units, *rows]) + "\n"


def export(value: str = "72", unit: str = "count/min", at: str = "2026-02-20 08:00:00 +0100"):
    return (
        '<?xml version="1.0"?><HealthData><Record type="HKQuantityTypeIdentifierHeartRate" '
        f'sourceName="W" unit="{unit}" value="{value}" startDate="{at}" endDate="{at}"/>'
        "</HealthData>"
    )


def edf(label: str = "ECG II", unit: str = "mV", records: int = 4, date: str = "20.02.26") -> bytes:
    """Return a file of one signal, 100 samples of zero per record of 1 s, four of them."""
    head = [("0", 8), ("", 80), ("ward 7", 80), (date, 8), ("07.00.00", 8),
            ("512", 8), ("", 44), (str(records), 8), ("1", 8), ("1", 4)]  # fmt: skip
    signal = [(label, 16), ("", 80), (unit, 8), ("-1", 8), ("1", 8), ("-32768", 8), ("32767", 8),
              ("", 80), ("100", 8), ("", 32)]  # fmt: skip
    return "".join(t.ljust(n)[:n] for t, n in head + signal).encode() + bytes(800)


def record(line: str = "r.dat 16 200/mV 16 0 0 0 0 II", frames: object = 500, **head: str) -> dict:
    """Return header and samples (format 16, all zero) of a record of one signal at 250 Hz."""
    start = head.get("start", "07:00:00 20/02/2026")
    text = f"{head.get('name', 'r')} {head.get('count', '1')} 250 {frames} {start}\n{line}\n"
    return {"r.hea": text, "r.dat": bytes(1000)}


def packed(data: bytes, frames: int) -> dict:
    files = record(frames=frames)
    return {"r.hea": files["r.hea"], "r.dat.xz": data}


def parquet(cut: int | None = None, unit: bytes | None = b"/min", value: float = 72.0, ahead=0):
    """Return a maker of a Parquet table of one heart rate, cut after `cut` bytes."""

    def make(path) -> None:
        import pyarrow as pa
        from pyarrow import parquet as pq

        time = pa.field("time", pa.int64(), metadata={"unit": "ns"})
        rate = pa.field("heart_rate", pa.float64(), metadata={"unit": unit} if unit else None)
        columns = [[1_771_570_800_000_000_000 + ahead], [value]]
        pq.write_table(pa.table(columns, schema=pa.schema([time, rate])), path)
        path.write_bytes(path.read_bytes()[:cut])

    return make


WIDE = ",".join(["time", *(f"c{i}" for i in range(10**5))])

HOSTILE = {
    # cut off
    "wfdb cut": (record(frames=5000), "cut off"),
    "wfdb without its samples": ({"r.hea": record()["r.hea"]}, "missing"),
    "wfdb header cut": ({"r.hea": "r 2 250 500\nr.dat 16 200/mV 16 0 0 0 0 II\n"}, "r.hea"),
    "edf header cut": ({"e.edf": edf()[:300]}, "e.edf"),
    "edf cut": ({"e.edf": edf()[:-200]}, "cut off"),
    "edf of more records than it has": ({"e.edf": edf(records=99_999_999)}, "cut off"),
    "parquet cut": ({"t.parquet": parquet(cut=-40)}, "Parquet"),
    "parquet of a mark only": ({"t.parquet": b"PAR1" + bytes(100)}, "Parquet"),
    "csv cut in a row": ({"t.csv": table(f"{WHEN},72", "2026-02-20T07:0")[:-1]}, "t.csv"),
    "csv cut in its header": ({"t.csv": "time,heart_rate\n"}, "unit row"),
    "csv cut after its units": ({"t.csv": table()}, "holds no"),
    "csv of an open quote": ({"t.csv": table(f'"{WHEN},72')}, "no CSV"),
    "fhir cut": ({"o.json": json.dumps(fhir())[:-9]}, "not JSON"),
    "apple health cut": ({"x.xml": export()[:-9]}, "no XML"),
    "hl7 cut": ({"m.hl7": hl7()[:60]}, "m.hl7"),
    # units
    "wfdb unit": (record("r.dat 16 1/kg 16 0 0 0 0 ABP"), "kg"),
    "wfdb unit nobody knows": (record("r.dat 16 1/furlong 16 0 0 0 0 ABP"), "furlong"),
    "edf unit": ({"e.edf": edf(unit="kg")}, "kg"),
    "csv unit": ({"t.csv": table(f"{WHEN},72", units="ISO8601,kg")}, "kg"),
    "csv without unit": ({"t.csv": table(f"{WHEN},72", units="ISO8601,")}, "no unit"),
    "parquet without unit": ({"t.parquet": parquet(unit=None)}, "no unit"),
    "parquet unit": ({"t.parquet": parquet(unit=b"kg")}, "kg"),
    "fhir unit": ({"o.json": fhir(unit="kg")}, "kg"),
    "hl7 unit": ({"m.hl7": hl7(unit="kg")}, "kg"),
    "hl7 without unit": ({"m.hl7": hl7(unit="")}, "no unit"),
    "open mhealth without unit": ({"o.json": omh()}, "unit"),
    "open mhealth unit": ({"o.json": omh(unit="kg")}, "kg"),
    "apple health unit": ({"x.xml": export(unit="kg")}, "kg"),
    # numbers
    **{f"csv {t}": ({"t.csv": table(f"{WHEN},{t}")}, "no number")
       for t in ("NaN", "Infinity", "-inf", "1e999", "0x48", "7_2", "\u0667\u0662")},
    **{f"fhir {t[:9]}": ({"o.json": number(t)}, "o.json")
       for t in ("NaN", "Infinity", "1e999", '"72"', "true", "[72]", "072", "9" * 5000)},
    **{f"open mhealth {t}": ({"o.json": json.dumps(omh(5, **BEATS)).replace(": 5,", f": {t},")},
                             "o.json") for t in ("NaN", "Infinity", "1e999", '"72"')},
    **{f"hl7 {t}": ({"m.hl7": hl7(value=t)}, "no number") for t in ("NaN", "1e999", "7 2")},
    "parquet infinity": ({"t.parquet": parquet(value=np.inf)}, "no number"),
    "apple health NaN": ({"x.xml": export(value="NaN")}, "x.xml"),
    "wfdb gain": (record("r.dat 16 1e999/mV 16 0 0 0 0 II"), "gain"),
    "wfdb gain of nothing": (record("r.dat 16 nan/mV 16 0 0 0 0 II"), "gain"),
    "wfdb digits": (record(f"r.dat 16x{'9' * 5000} 200/mV 16 0 0 0 0 II"), "r.hea"),
    "wfdb baseline": (record(f"r.dat 16 200({'9' * 5000})/mV 16 0 0 0 0 II"), "r.hea"),
    # impossible
    "csv negative": ({"t.csv": table(f"{WHEN},-72")}, "not possible"),
    "fhir negative": ({"o.json": fhir(-72)}, "not possible"),
    "hl7 negative": ({"m.hl7": hl7(value="-72")}, "not possible"),
    "open mhealth negative": ({"o.json": omh(-72, **BEATS)}, "not possible"),
    "apple health negative": ({"x.xml": export(value="-72")}, "not possible"),
    "parquet negative": ({"t.parquet": parquet(value=-72.0)}, "not possible"),
    # clocks
    "csv year 9999": ({"t.csv": table("9999-12-31T23:59:59Z,72")}, "time"),
    "csv ahead": ({"t.csv": table(f"{AHEAD},72")}, "ahead of"),
    "csv without zone": ({"t.csv": table("2026-02-20T07:00:00,72")}, "zone"),
    "csv digits": ({"t.csv": table(f"{'9' * 5000},72", units="ns,/min")}, "time"),
    "parquet ahead": ({"t.parquet": parquet(ahead=10**18)}, "ahead of"),
    "fhir year 9999": ({"o.json": fhir(when="9999-12-31T23:59:59Z")}, "outside 1970"),
    "fhir ahead": ({"o.json": fhir(when=AHEAD)}, "ahead of our clock"),
    "open mhealth ahead": ({"o.json": omh(when=AHEAD, **BEATS)}, "ahead of our clock"),
    "open mhealth year 9999": ({"o.json": omh(when="9999-12-31T23:59:59Z", **BEATS)}, "1970"),
    "hl7 ahead": ({"m.hl7": hl7(at="20260223070501+0000")}, "ahead of our clock"),
    "hl7 year 9999": ({"m.hl7": hl7(at="99991231235959+0000")}, "outside 1970"),
    "apple health ahead": ({"x.xml": export(at="2026-02-24 08:00:00 +0100")}, "ahead"),
    "wfdb year 9999": (record(start="07:00:00 20/02/9999"), "1970"),
    "wfdb end ahead": (record(start="07:04:59 23/02/2026"), "ahead of our clock"),
    "wfdb clock": (record(start="nan:00:00 20/02/2026"), "time"),
    "wfdb endless clock": (record(start="1e99:00:00 20/02/2026"), "time"),
    "edf ahead": ({"e.edf": edf(date="20.02.80")}, "ahead of our clock"),
    # patients
    "fhir of two": ({"o.json": bundle(fhir(), fhir(patient="q"))}, "mixes patients"),
    "fhir of another": ({"o.json": fhir(patient="q")}, "'q'"),
    "hl7 of another": ({"m.hl7": hl7("q")}, "'q'"),
    "hl7 of two": ({"m.hl7": hl7() + hl7("q")}, "'q'"),
    "hl7 of nobody": ({"m.hl7": hl7("")}, "no patient"),
    # structure
    "fhir key twice": ({"o.json": json.dumps(fhir())[:-1] + ', "status": "final"}'}, "twice"),
    "open mhealth key twice": ({"o.json": json.dumps(omh(**BEATS))[:-1] + ', "heart_rate": 1}'},
                               "twice"),
    "arrays 5,000 deep": ({"o.json": "[" * 5000 + "]" * 5000}, "levels deep"),
    "objects 5,000 deep": ({"o.json": '{"a":' * 5000 + "1" + "}" * 5000}, "levels deep"),
    "fhir 5,000 deep": ({"o.json": '{"resourceType":' + "[" * 5000}, "levels deep"),
    "csv of 100,001 columns": ({"t.csv": f"{WIDE}\n{WIDE}\n"}, "columns"),
    "csv row too wide": ({"t.csv": table(f"{WHEN}{',1' * 10**5}")}, "row 3"),
    "csv name nobody knows": ({"t.csv": table(f"{WHEN},97", names="time,spo2")},
                              "oxygen_saturation"),
    "csv two of a name": ({"t.csv": table(f"{WHEN},1,2", names="time,heart_rate,heart_rate",
                                          units="ISO8601,/min,/min")}, "share a name"),
    "apple health entities": ({"x.xml": '<!DOCTYPE HealthData [<!ENTITY a "b">]>'
                               "<HealthData>&a;</HealthData>"}, "entities"),
    # places and claims
    "wfdb elsewhere": (record("../../etc/passwd 16 200/mV 16 0 0 0 0 II"), "r.hea"),
    "wfdb at an absolute place": (record("/etc/passwd 16 200/mV 16 0 0 0 0 II"), "r.hea"),
    "wfdb above": (record(".. 16 200/mV 16 0 0 0 0 II"), "r.hea"),
    "wfdb segments elsewhere": ({"r.hea": "r/2 1 250 20\n../../etc/passwd 10\n~ 10\n"}, "r.hea"),
    "wfdb of 2 GB": (record(frames=10**9), "r.hea"),
    "wfdb frames of 2 GB": (record("r.dat 16x1000000000 200/mV 16 0 0 0 0 II"), "r.hea"),
    "wfdb segments of 2 GB": ({**record(), "s.hea": "s/2 1 250 1000000500\nr 500\n~ 1000000000\n"},
                              "s.hea"),
    "wfdb xz cut": (packed(lzma.compress(bytes(1000))[:40], 500), "r.dat"),
    "wfdb xz damaged": (packed(b"\xfd7zXZ\0" + bytes(50), 500), "r.dat"),
    "wfdb without samples": ({**record(frames=0), "r.dat": b""}, "r.hea"),
    # nothing and noise
    **{f"empty {n}": ({n: b""}, "is empty")
       for n in ("r.hea", "e.edf", "t.csv", "t.parquet", "o.json", "m.hl7", "x.xml")},
    **{f"NUL in {n}": ({n: bytes(5000)}, "no format that is read")
       for n in ("r.hea", "e.edf", "t.csv", "o.json", "m.hl7")},
    "NUL in csv": ({"t.csv": table(f"{WHEN},7\0002")}, "NUL"),
    "NUL in fhir": ({"o.json": json.dumps(fhir()).replace("final", "fi\0nal")}, "control"),
    "NUL in hl7": ({"m.hl7": hl7(value="7\0002")}, "control character"),
    "NUL in wfdb": (record("r\0.dat 16 200/mV 16 0 0 0 0 II"), "r.hea"),
    "NUL in apple health": ({"x.xml": export(value="7\0002")}, "x.xml"),
    "not UTF-8": ({"t.csv": table(f"{WHEN},72").encode() + b"\xff"}, "UTF-8"),
}  # fmt: skip
COMPANIONS = (".dat", ".xz")


def write(folder, files):
    """Write the files of a case and return the one to be taken in: the last that is no part."""
    folder.mkdir()
    for name, content in files.items():
        path = folder / name
        if callable(content):
            content(path)
        elif isinstance(content, bytes):
            path.write_bytes(content)
        else:
            path.write_text(content if isinstance(content, str) else json.dumps(content), "utf-8")
    return [folder / n for n in files if not n.endswith(COMPANIONS)][-1]


def intake(path, store):
    arguments = ["intake", str(path), "--store", str(store), "--patient", "p", "--now", NOW]
    return main(arguments)


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    """A log that holds one reading already; every case must leave it as it is."""
    folder = tmp_path_factory.mktemp("kept")
    good = write(folder / "good", {"o.json": fhir()})
    assert intake(good, folder / "log") == 0
    return folder / "log"


def state(store):
    """Entries, checkpoint, and the digest of the database."""
    with open_log(store, read_only=True) as log:
        entries = list(log.entries())
        return entries, log.checkpoint(), hashlib.sha256(store.read_bytes()).hexdigest()


def one_sentence(said, name):
    assert said.startswith("isosoma: ")
    assert said.count("\n") == 1
    assert said.endswith("\n")
    assert name in said
    assert "Traceback" not in said
    assert "fault of isosoma" not in said
    assert all(c.isprintable() for c in said[:-1])


@pytest.mark.parametrize("case", HOSTILE)
def test_a_hostile_file_is_refused_with_a_sentence_and_leaves_the_log(
    case, store, tmp_path, capsys
):
    files, why = HOSTILE[case]
    path = write(tmp_path / "in", files)
    before = state(store)
    assert intake(path, store) == 2
    said = capsys.readouterr().err
    one_sentence(said, path.name)
    assert why in said
    assert state(store) == before


@pytest.mark.parametrize("case", ["wfdb cut", "fhir ahead", "hl7 of another", "csv cut in a row"])
def test_a_hostile_file_makes_no_log(case, tmp_path, capsys):
    path = write(tmp_path / "in", HOSTILE[case][0])
    (tmp_path / "out").mkdir()
    assert intake(path, tmp_path / "out" / "log") == 2
    one_sentence(capsys.readouterr().err, path.name)
    assert list((tmp_path / "out").iterdir()) == []


@pytest.fixture(scope="module")
def bomb():
    """An archive of 128 MiB of zeros, packed piece by piece."""
    packer = lzma.LZMACompressor(preset=0)
    pieces = [packer.compress(bytes(MIB)) for _ in range(128)]
    return b"".join([*pieces, packer.flush()])


@pytest.mark.parametrize(
    ("frames", "limit"), [(500, 32 * MIB), (0, 160 * MIB), (1 << 26, 160 * MIB)]
)
def test_an_archive_that_swells_is_refused_in_little_memory(
    bomb, frames, limit, store, tmp_path, capsys
):
    path = write(tmp_path / "in", packed(bomb, frames))
    before = state(store)
    tracemalloc.start()
    try:
        assert intake(path, store) == 2
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    one_sentence(capsys.readouterr().err, path.name)
    assert state(store) == before
    assert peak < limit


def test_a_claim_of_2_gb_allocates_nothing(store, tmp_path, capsys):
    for case in ("wfdb of 2 GB", "wfdb frames of 2 GB", "wfdb segments of 2 GB"):
        path = write(tmp_path / case, HOSTILE[case][0])
        tracemalloc.start()
        try:
            assert intake(path, store) == 2
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
        one_sentence(capsys.readouterr().err, path.name)
        assert peak < 32 * MIB


def test_good_files_beside_hostile_ones_are_kept_and_each_refusal_is_told(tmp_path, capsys):
    folder = tmp_path / "in"
    write(folder, {"a.json": fhir(-1), "b.json": fhir(), "c.csv": table("now,72"),
                   **record()})  # fmt: skip
    assert intake(folder, tmp_path / "log") == 2
    out, err = capsys.readouterr()
    assert [line.split(":")[1].split(",")[0].strip() for line in err.splitlines()] == [
        "a.json", "c.csv",
    ]  # fmt: skip
    assert "2 readings kept (500 samples)" in out
    assert "2 files refused" in out
    with open_log(tmp_path / "log", read_only=True) as log:
        kinds = [e.kind for e in log.entries()]
    assert (kinds.count("observations"), kinds.count("waveform")) == (1, 1)


@pytest.mark.parametrize(
    "files",
    [{"o.json": fhir()}, {"o.json": omh(**BEATS)}, {"m.hl7": hl7()}, {"x.xml": export()},
     {"t.csv": table(f"{WHEN},72")}, {"t.parquet": parquet()}, {"e.edf": edf()}, record(),
     packed(lzma.compress(bytes(1000)), 500)],
)  # fmt: skip
def test_the_files_that_the_hostile_ones_are_made_from_are_taken(files, tmp_path, capsys):
    path = write(tmp_path / "in", files)
    assert intake(path, tmp_path / "log") == 0, capsys.readouterr().err
    assert "1 reading kept" in capsys.readouterr().out


@pytest.mark.parametrize("seed", range(8))
def test_noise_behind_every_mark_is_refused(seed, store, tmp_path, capsys):
    noise = np.random.default_rng(seed).integers(0, 256, 4000, np.uint8).tobytes()
    before = state(store)
    marks = {"e.edf": edf()[:256], "t.parquet": b"PAR1", "o.json": b"{", "l.json": b"[",
             "m.hl7": b"MSH|^~\\&|", "x.xml": b"<HealthData>", "r.hea": b"r 1 250 500\n",
             "t.csv": b"time,heart_rate\n", "f.hl7": b"\x0b" + struct.pack("<I", seed)}  # fmt: skip
    for name, mark in marks.items():
        path = write(tmp_path / name.replace(".", "-"), {name: mark + noise})
        assert intake(path, store) == 2
        one_sentence(capsys.readouterr().err, name)
    assert state(store) == before

"""The command line as a person or a script meets it: real processes, real files."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

READERS = Path(__file__).resolve().parents[1] / "src" / "isosoma" / "exchange" / "__init__.py"


def isosoma(*arguments, timeout=300):
    command = [sys.executable, "-m", "isosoma", *map(str, arguments)]
    return subprocess.run(command, check=False, capture_output=True, text=True, timeout=timeout)


def test_help_imports_nothing_heavy():
    heavy = ["numba", "scipy", "pyarrow", "fastapi", "cryptography", "numpy", "uvicorn"]
    code = (
        "import sys, contextlib, io\nfrom isosoma.serve.cli import main\n"
        "with contextlib.suppress(SystemExit), contextlib.redirect_stdout(io.StringIO()):\n"
        f"    main(['--help'])\nprint([m for m in {heavy!r} if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], check=False, capture_output=True, text=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize(
    "arguments",
    [
        ("beats", "no-such-record"),
        ("record", "verify", "no-such-log"),
        ("record", "show", "no-such-log"),
        ("intake", "no-such-file", "--store", "x", "--patient", "p"),
        ("run", "--store", "x"),
    ],
)
def test_a_refusal_is_one_sentence_and_exit_code_2(arguments, tmp_path):
    done = subprocess.run(
        [sys.executable, "-m", "isosoma", *arguments],
        check=False,
        capture_output=True,
        text=True,
        cwd=tmp_path,
    )
    if arguments[1] == "verify":  # a missing log is a finding
        assert done.returncode in (1, 2)
    else:
        assert done.returncode == 2
        assert done.stderr.startswith("isosoma: ")
        assert len(done.stderr.strip().splitlines()) == 1
    assert "Traceback" not in done.stderr
    assert list(tmp_path.iterdir()) == []


@pytest.fixture
def store(tmp_path):
    from isosoma.record import Draft, open_log

    path = tmp_path / "log"
    with open_log(path) as log:
        log.append(
            "anna-k", [Draft("patient", {"name": "A"}), Draft("decision", {"yes": 1})]
        ).result()
        log.checkpoint()
    return path


def test_a_log_is_verified_shown_and_erased(store):
    good = isosoma("record", "verify", store, "--json")
    assert good.returncode == 0, good.stderr
    assert json.loads(good.stdout)["ok"] is True
    shown = json.loads(isosoma("record", "show", store, "--json", "--kind", "decision").stdout)
    assert [e["content"] for e in shown] == [{"yes": 1}]
    erased = isosoma("record", "erase", store, "--patient", "anna-k", "--reason", "asked", "--json")
    assert erased.returncode == 0, erased.stderr
    assert isosoma("record", "verify", store).returncode == 0
    assert '"yes"' not in isosoma("record", "show", store, "--json").stdout


def test_exit_codes_tell_intact_changed_and_not_there_apart(store, tmp_path):
    good = isosoma("record", "verify", store, "--deep")
    assert good.returncode == 0
    assert good.stdout.startswith("intact: 2 entries, 2 checkpoints")
    assert "every entry decrypted" in good.stdout
    key = good.stdout.rpartition("signed by ")[2].strip()
    assert isosoma("record", "verify", store, "--key", key).returncode == 0
    other = f"{key[:-8]}AAAAAAA="
    assert isosoma("record", "verify", store, "--key", other).returncode == 1
    gone = isosoma("record", "verify", tmp_path / "none", "--json")
    assert (gone.returncode, json.loads(gone.stdout)["ok"]) == (2, False)
    kept = tmp_path / "kept"
    kept.write_text("not a note")
    assert isosoma("record", "verify", store, "--checkpoint", kept).returncode == 1


def test_a_log_is_copied_without_its_keys_and_over_nothing(store, tmp_path):
    copy = tmp_path / "copy"
    done = isosoma("record", "copy", store, copy, "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["size"] == 2
    assert {f.name for f in tmp_path.glob("copy*")} == {"copy", "copy-checkpoint"}
    (key,) = json.loads(isosoma("record", "verify", store, "--json").stdout)["keys"]
    assert isosoma("record", "verify", copy, "--key", key).returncode == 0
    again = isosoma("record", "copy", store, copy)
    assert (again.returncode, "already" in again.stderr) == (2, True)


def test_a_slip_of_the_pen_is_told_from_an_empty_answer(store):
    for wrong, said in ((("--kind", "vitals"), "One of"), (("--patient", "anna"), "no patient")):
        done = isosoma("record", "show", store, *wrong)
        assert (done.returncode, done.stdout) == (2, "")
        assert said in done.stderr
    none = isosoma("record", "show", store, "--kind", "waveform", "--json")
    assert (none.returncode, json.loads(none.stdout)) == (0, [])


def test_a_flipped_byte_gives_exit_code_1_and_a_finding(store):
    import sqlite3

    with sqlite3.connect(store) as base:
        tables = [r[0] for r in base.execute("select name from sqlite_master where type='table'")]
        target = next(t for t in tables if "entr" in t or "row" in t or "event" in t)
        columns = [r[1] for r in base.execute(f"pragma table_info({target})")]
        name, blob = next(
            (c, v)
            for c in reversed(columns)
            for (v,) in base.execute(f"select {c} from {target} order by 1 limit 1")
            if isinstance(v, bytes) and len(v) > 24
        )
        bad = bytes([blob[0] ^ 1]) + blob[1:]
        base.execute(f"update {target} set {name} = ? where {name} = ?", (bad, blob))
    done = isosoma("record", "verify", store, "--json")
    assert done.returncode == 1
    assert json.loads(done.stdout)["findings"]


def test_a_pressure_every_five_minutes_is_taken_in_and_shown_in_words(tmp_path):
    table = tmp_path / "own.csv"
    table.write_text(
        "time,heart_rate,arterial_pressure\n,/min,mm[Hg]\n"
        "2026-05-01T08:00:00Z,72,93\n2026-05-01T08:05:00Z,75,95\n"
    )
    log = tmp_path / "log"
    done = isosoma("intake", table, "--store", log, "--patient", "p1")
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("own.csv: 3 readings kept (2 samples)")
    shown = isosoma("record", "show", log).stdout
    assert "arterial_pressure, 600 s from 2026-05-01T08:00:00.000Z" in shown
    assert "3 judged" in shown
    empty = tmp_path / "empty"
    empty.mkdir()
    refused = isosoma("intake", empty, "--store", tmp_path / "none", "--patient", "p1")
    assert (refused.returncode, (tmp_path / "none").exists()) == (2, False)


def test_a_log_can_be_shown_while_another_process_writes_to_it(store):
    from isosoma.record import open_log

    with open_log(store):
        shown = isosoma("record", "show", store, "--json")
        busy = isosoma("record", "erase", store, "--patient", "anna-k", "--reason", "asked")
    assert shown.returncode == 0, shown.stderr
    assert busy.returncode == 2
    assert "another process is writing" in busy.stderr


reads = pytest.mark.skipif(not READERS.is_file(), reason="exchange is not there yet")


@reads
def test_beats_of_a_real_record_do_not_depend_on_the_chunk(shared_data):
    record = shared_data / "signals" / "mitdb" / "100"
    one, other = (isosoma("beats", record, "--csv", "--chunk", c) for c in ("1", "0.37"))
    assert one.returncode == 0, one.stderr
    assert one.stdout == other.stdout
    assert abs(len(one.stdout.splitlines()) - 1 - 2273) <= 5
    told = json.loads(isosoma("beats", record, "--json").stdout)["summary"]
    assert told["delay_p95_s"] <= 0.35


def test_the_page_of_the_command_line_is_what_the_parser_says(repository):
    done = subprocess.run(
        [sys.executable, repository / "tools" / "docs.py", "--check"],
        check=False,
        capture_output=True,
        text=True,
    )
    assert "cli.md" not in done.stderr

"""dev.py: stdlib only, sentences instead of tracebacks, and no step done twice."""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

import dev

ROOT = Path(__file__).resolve().parents[1]


def test_only_the_standard_library_is_imported():
    tree = ast.parse((ROOT / "dev.py").read_text("utf-8"))
    names = [n.module for n in ast.walk(tree) if isinstance(n, ast.ImportFrom)]
    names += [a.name for n in ast.walk(tree) if isinstance(n, ast.Import) for a in n.names]
    assert {name.partition(".")[0] for name in names if name} <= sys.stdlib_module_names


@pytest.mark.parametrize("command", sorted(dev.COMMANDS))
def test_every_command_is_told_of(command):
    assert f"dev.py {command} " in (dev.__doc__ or "")
    page = (ROOT / "CONTRIBUTING.md").read_text("utf-8")
    assert re.search(rf"^\| `{command}\b", page, re.MULTILINE)


@pytest.mark.parametrize(("arguments", "code"), [([], 2), (["dance"], 2), (["--help"], 0)])
def test_no_command_shows_the_commands(arguments, code, capsys):
    assert dev.main(arguments) == code
    assert "python3 dev.py test" in capsys.readouterr().out


def test_an_old_python_gets_a_sentence(monkeypatch, capsys):
    monkeypatch.setattr(sys, "version_info", (3, 9, 18, "final", 0))
    assert dev.main(["run"]) == 1
    said = capsys.readouterr().err
    assert "3.11 or newer" in said
    assert "3.9.18" in said


def test_an_unknown_benchmark_gets_a_sentence(capsys):
    assert dev.main(["bench", "no_such"]) == 1
    assert "Name one benchmark" in capsys.readouterr().err


def test_a_machine_without_pip_gets_a_sentence(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(dev.importlib.util, "find_spec", lambda name: None)
    monkeypatch.setitem(dev.COMMANDS, "run", lambda _: dev.make_environment(tmp_path / "new"))
    assert dev.main(["run"]) == 1
    assert "neither ensurepip nor pip" in capsys.readouterr().err


def test_a_download_that_fails_says_what_to_do(tmp_path, capfd):
    """pip really runs, against an index that nothing listens on."""
    environment = {**os.environ, "PIP_INDEX_URL": "http://127.0.0.1:9/simple", "PIP_RETRIES": "0"}
    environment |= {"PIP_CONFIG_FILE": os.devnull, "PIP_NO_CACHE_DIR": "1"}
    environment.pop("PIP_FIND_LINKS", None)
    code = (
        "import dev, pathlib, sys\n"
        f"folder = pathlib.Path({str(tmp_path / 'new')!r})\n"
        "dev.COMMANDS['run'] = lambda _: dev.make_environment(folder)\n"
        "sys.exit(dev.main(['run']))"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, env=environment, check=False)
    assert done.returncode == 1
    assert "uv could not be installed" in capfd.readouterr().err
    assert not (tmp_path / "new" / ".uv-stamp").exists()


def test_stamp_follows_name_content_and_words(tmp_path, monkeypatch):
    monkeypatch.setattr(dev, "ROOT", tmp_path)
    first, second = tmp_path / "a", tmp_path / "b"
    first.write_text("x")
    second.write_text("x")
    values = {
        dev.digest([first]),
        dev.digest([second]),
        dev.digest([first], "3.12"),
        dev.digest([]),
    }
    first.write_text("y")
    assert len(values | {dev.digest([first])}) == 5


def test_what_is_current_is_not_done_again(tmp_path, monkeypatch):
    """The second start must install nothing; one changed byte in a lock installs again."""
    for name in ("requirements", "web"):
        (tmp_path / name).mkdir()
    lock = tmp_path / "requirements" / "run.txt"
    (tmp_path / "requirements" / "uv.txt").write_text("uv")
    (tmp_path / "pyproject.toml").write_text("")
    lock.write_text("one")
    monkeypatch.setattr(dev, "ROOT", tmp_path)
    monkeypatch.setattr(dev, "REQUIREMENTS", tmp_path / "requirements")
    done: list[str] = []
    monkeypatch.setattr(dev, "call", lambda command, failed, cwd=None: done.append(str(command[0])))
    monkeypatch.setattr(dev, "make_environment", lambda folder: folder.mkdir(exist_ok=True))
    dev.install("run", tmp_path / ".venv")
    assert len(done) == 2
    dev.install("run", tmp_path / ".venv")
    assert len(done) == 2
    lock.write_text("two")
    dev.install("run", tmp_path / ".venv")
    assert len(done) == 4


PAGES = [*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")]


@pytest.mark.parametrize("page", sorted(PAGES), ids=lambda page: page.name)
def test_links_of_pages_lead_somewhere(page):
    text = page.read_text("utf-8")
    links = re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)|<img[^>]* src=\"([^\"]+)\"", text)
    local = [a or b for a, b in links if "://" not in (a or b)]
    assert [link for link in local if not (page.parent / link).exists()] == []

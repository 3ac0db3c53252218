"""The rules of the house: layers, visible names, documented verbs, locks, licences."""

from __future__ import annotations

import ast
import importlib
import importlib.metadata
import importlib.util
import inspect
import json
import pkgutil
import re
import shlex
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest
from packaging.requirements import Requirement

import isosoma
from isosoma.serve.cli import build_parser
from tools import docs, style, tracked

ROOT = Path(__file__).resolve().parents[1]
HEAVY = ("numba", "scipy", "pyarrow", "fastapi", "cryptography", "amqtt", "pandas", "uvicorn")
MODULES = sorted(
    m.name
    for m in pkgutil.walk_packages(isosoma.__path__, "isosoma.")
    if not m.name.rpartition(".")[2].startswith(("test_", "__main__", "conftest"))
)
ROOMS = sorted(m for m in MODULES if m.count(".") == 1)


def python(code: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_layers_hold():
    python("from importlinter.cli import lint_imports_command as c; c(['--no-logo'])")


def test_layers_name_every_room():
    """A room that no floor names would be free to import anything."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    layers = project["tool"]["importlinter"]["contracts"][0]["layers"]
    named = set(re.findall(r"\w+", " ".join(layers)))
    assert {room.partition(".")[2] for room in ROOMS} <= named


def test_architecture_tells_which_rooms_exist():
    page = (ROOT / "ARCHITECTURE.md").read_text("utf-8")
    rows = dict(re.findall(r"^\| \d \| `(\w+)` \|.*\| (now|planned) \|$", page, re.MULTILINE))
    exist = {room.partition(".")[2] for room in ROOMS}
    assert {room for room, state in rows.items() if state == "now"} == exist


@pytest.mark.parametrize("name", MODULES)
def test_all_names_what_is_there(name):
    """Names of `__all__` exist, once each; a room may name its modules."""
    module = importlib.import_module(name)
    listed = getattr(module, "__all__", [])
    below = {m.name for m in pkgutil.iter_modules(getattr(module, "__path__", []))}
    assert [n for n in listed if not hasattr(module, n) and n not in below] == []
    assert len(listed) == len(set(listed))


@pytest.mark.parametrize("name", ROOMS)
def test_a_room_shows_what_it_lists(name):
    """Whoever looks into a room sees its `__all__`, its modules, and nothing left lying about."""
    module = importlib.import_module(name)
    own = {n for n, v in vars(module).items() if not n.startswith("_") and not inspect.ismodule(v)}
    assert own - {"annotations", "TYPE_CHECKING", "Any"} <= set(getattr(module, "__all__", []))


@pytest.mark.parametrize("name", MODULES)
def test_module_says_what_it_is_for(name):
    spec = importlib.util.find_spec(name)
    assert spec is not None
    assert spec.origin is not None
    doc = ast.get_docstring(ast.parse(Path(spec.origin).read_text("utf-8")))
    assert doc
    assert len(doc.split()) >= 3


def test_package_import_is_light():
    code = f"import isosoma, sys; print([m for m in {HEAVY!r} if m in sys.modules])"
    assert python(code).strip() == "[]"


def test_help_imports_nothing_heavy():
    code = (
        "import sys\n"
        "from isosoma.serve.cli import main\n"
        "try:\n    main(['--help'])\n"
        "except SystemExit as end:\n    assert not end.code\n"
        f"print('HEAVY', [m for m in {HEAVY!r} if m in sys.modules])"
    )
    said = python(code)
    assert "usage" in said.lower()
    assert said.strip().splitlines()[-1] == "HEAVY []"


def test_generated_pages_are_current():
    stale = [p.name for p, t in docs.pages().items() if not p.exists() or p.read_text("utf-8") != t]
    assert stale == [], "run python3 dev.py docs"


def test_every_verb_is_documented_and_explained():
    """Each verb has its heading in docs/cli.md, a sentence, and a help for each argument."""
    page = (ROOT / "docs" / "cli.md").read_text("utf-8")
    verbs = list(docs.walk(build_parser(), "isosoma"))
    assert len(verbs) > 1
    for verb, sentence, rows in verbs:
        assert f"## `{verb}`\n" in page
        assert sentence, f"`{verb}` has no description"
        assert [a for a, help_text in rows if not help_text] == [], f"`{verb}` leaves these unsaid"


def console_lines() -> list[tuple[str, list[str]]]:
    """Every `$ isosoma …` and `$ python3 dev.py run …` of the pages, as (page, arguments)."""
    found = []
    for page in [*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")]:
        for block in re.findall(r"```console\n(.*?)```", page.read_text("utf-8"), re.DOTALL):
            for line in re.findall(r"^\$ (.*)$", block, re.MULTILINE):
                words = shlex.split(line, comments=True)
                if words[0] == "isosoma":
                    found.append((page.name, words[1:]))
                elif words[1:3] == ["dev.py", "run"]:
                    found.append((page.name, words[2:]))
    return found


def test_commands_of_the_pages_are_understood():
    """The README's own lines go through the real parser: a renamed option turns this red."""
    lines = console_lines()
    assert len(lines) >= 5
    for page, arguments in lines:
        try:
            build_parser().parse_args(arguments)
        except SystemExit:
            pytest.fail(f"{page}: isosoma {' '.join(arguments)} is not understood")


def test_locks_name_no_host():
    locks = [*(ROOT / "requirements").iterdir(), ROOT / "web" / "package-lock.json"]
    for lock in locks:
        text = lock.read_text("utf-8")
        assert tracked.faults_of_text(text) == []
        assert not re.search(r"^--(index|extra-index|find-links)|\"resolved\"", text, re.MULTILINE)


@pytest.mark.parametrize("name", ["uv.txt", "node.txt", "peers.txt", "run.txt", "test.txt"])
def test_every_locked_library_has_a_hash(name):
    text = (ROOT / "requirements" / name).read_text("utf-8")
    blocks = re.findall(r"^(\S+==\S+)((?:.*\n)(?:    --hash.*\n)*)", text, re.MULTILINE)
    assert blocks
    assert [pin for pin, rest in blocks if "--hash=sha256:" not in rest] == []


def test_web_lock_pins_by_integrity():
    lock = json.loads((ROOT / "web" / "package-lock.json").read_text("utf-8"))
    packages = {name: p for name, p in lock["packages"].items() if name}
    assert packages
    assert [name for name, p in packages.items() if "integrity" not in p] == []


def runtime_closure() -> set[str]:
    """Every distribution the product installs with, its own needs followed to the end."""
    seen: set[str] = set()
    todo = ["isosoma"]
    while todo:
        name = todo.pop()
        if name in seen:
            continue
        seen.add(name)
        for text in importlib.metadata.requires(name) or []:
            need = Requirement(text)
            if need.marker is None or need.marker.evaluate({"extra": ""}):
                todo.append(need.name.lower().replace("_", "-"))
    return seen - {"isosoma"}


def test_product_rests_on_no_copyleft_library():
    """No GPL, AGPL or LGPL below the product, by what each distribution says of itself."""
    closure = runtime_closure()
    assert "numpy" in closure
    found = []
    for name in sorted(closure):
        about = importlib.metadata.metadata(name)
        short = about.get_all("License-Expression") or about.get_all("License") or []
        said = [text[:200] for text in short]  # some put the whole text of the licence there
        said += [c for c in about.get_all("Classifier") or [] if c.startswith("License")]
        if re.search(r"\b[AL]?GPL|GNU .*General Public", " ".join(said)):
            found.append((name, said))
    assert found == []


def test_wheel_carries_data_and_leaves_tests_out(tmp_path):
    code = f"from hatchling.build import build_wheel; print(build_wheel({str(tmp_path)!r}))"
    wheel = tmp_path / python(code).split()[-1]
    names = set(zipfile.ZipFile(wheel).namelist())
    sources = [p for p in (ROOT / "src" / "isosoma").rglob("*") if p.suffix in (".py", ".toml")]
    product = {p.relative_to(ROOT / "src").as_posix() for p in sources if not style.is_test(p)}
    assert product <= names
    assert "isosoma/py.typed" in names
    assert [name for name in names if "test_" in name] == []


# --- the tools that judge must themselves be able to say no ------------------------------------


def planted(text: str) -> list[str]:
    path = style.SOURCE / "core" / "planted.py"
    source = style.Source(path, ast.parse(text), text.count("\n"))
    return style.faults([source], style.Limits())


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("def f():\n    global x\n    x = 1\n", "`global`"),
        ("print(1)\n", "`print`"),
        ("try:\n    f()\nexcept Exception:\n    pass\n", "silent"),
        ("try:\n    f()\nexcept:\n    g()\n", "silent"),
        ("def f(a, *, b: int): ...\n", "without a type"),
        ("class C:\n" + "".join(f"    def m{i}(self): ...\n" for i in range(13)), "13 methods"),
        ("x = 1\n" * 801, "801 lines"),
    ],
)
def test_style_ratchet_catches_a_planted_fault(text, says):
    assert any(says in fault for fault in planted(text))


def test_style_ratchet_lets_good_code_pass():
    good = 'def f(a: int) -> int:\n    """Say.\n\n    More.\n    """\n    return a\n'
    assert planted(good) == []
    function = ast.parse(good).body[0]
    assert isinstance(function, ast.FunctionDef)
    assert style.function_length(function) == 2


def test_percentile_is_by_rank():
    assert style.percentile(list(range(1, 11)), 0.9) == 9
    assert style.percentile([7], 0.9) == 7


@pytest.mark.parametrize(
    "line", ["https://" + "py" + "pi.org/simple", "see /" + "root/x", "/" + "home/anna/data"]
)
def test_tracked_files_check_catches_a_planted_fault(line):
    assert tracked.faults_of_text(f"fine\n{line}\n")[0][0] == 2


def test_no_tracked_file_names_a_host_or_a_machine():
    paths = tracked.tracked_files()
    if not paths:
        pytest.skip("this is a source archive, not a git checkout")
    assert tracked.faults(paths) == []

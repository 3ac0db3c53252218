"""A study travels to a real archive and back, and what breaks on the way leaves nothing behind."""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
import tarfile
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import numpy as np
import pydicom
import pytest

from isosoma.core.errors import FormatError, InputError
from isosoma.exchange.dicom import read_study, volume
from isosoma.exchange.dicom_header import read_header
from isosoma.exchange.dicom_seg import Maker, write_seg
from isosoma.exchange.dicom_seg_read import read_seg
from isosoma.exchange.dicomweb import Archive, fetch, find, store
from isosoma.serve.cli import main

ORTHANC = shutil.which("Orthanc") or shutil.which("Orthanc", path="/usr/sbin:/usr/bin")
PLUGIN = Path("/usr/share/orthanc/plugins/libOrthancDicomWeb.so")
WAIT = 120  # [s] until a test is given up


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as found:
        return found.getsockname()[1]


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Archive]:
    """An Orthanc of our own on loopback, with a password."""
    if ORTHANC is None or not PLUGIN.exists():
        pytest.skip("Orthanc with DICOMweb is not here (Debian: orthanc, orthanc-dicomweb)")
    folder = tmp_path_factory.mktemp("orthanc")
    port = free_port()
    said = {
        "HttpPort": port, "DicomPort": free_port(), "DicomServerEnabled": False,
        "RemoteAccessAllowed": False, "AuthenticationEnabled": True,
        "RegisteredUsers": {"reader": "word"}, "StorageDirectory": str(folder / "db"),
        "IndexDirectory": str(folder / "db"), "Plugins": [str(PLUGIN)],
        "DicomWeb": {"Enable": True, "Root": "/dicom-web/"},
    }  # fmt: skip
    (folder / "orthanc.json").write_text(json.dumps(said))
    process = subprocess.Popen(
        [ORTHANC, str(folder / "orthanc.json")],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    made = Archive(f"http://127.0.0.1:{port}/dicom-web", "reader", "word")
    end = time.monotonic() + WAIT
    try:
        while True:
            try:
                find(made)
                break
            except InputError:
                assert time.monotonic() < end, f"Orthanc did not answer in {WAIT} s"
                time.sleep(0.2)
        yield made
    finally:
        process.terminate()
        process.wait(WAIT)


@pytest.fixture(scope="module")
def cine(shared_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The 25 phases of one real slice."""
    folder = tmp_path_factory.mktemp("cine")
    with tarfile.open(shared_data / "imaging" / "cmr_bivme" / "dicoms_patient1.tar.xz") as held:
        held.extractall(folder / "all", filter="data")
    (folder / "one").mkdir()
    for file in sorted(p for p in (folder / "all").rglob("*") if p.is_file()):
        if int(pydicom.dcmread(file, stop_before_pixels=True).SeriesNumber) == 7001:
            shutil.copy(file, folder / "one")
    return folder / "one"


def test_a_real_cine_and_its_labels_go_to_the_archive_and_come_back(
    archive: Archive, cine: Path, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    files = sorted(cine.iterdir())
    (one,) = read_study(cine).stacks
    study = one.header.study
    labels = np.zeros((256, 208, 1, 25), np.uint8)
    for t in range(25):
        labels[100 : 110 + t, 90:100, 0, t] = 1
    made = Maker("test", "1", datetime(2026, 1, 2, tzinfo=UTC))
    write_seg(tmp_path / "seg.dcm", one, labels, {1: "left_ventricle"}, made)
    assert store(archive, [*files, tmp_path / "seg.dcm"]) == 26
    (found,) = find(archive, StudyInstanceUID=study)
    assert found["StudyInstanceUID"] == study
    monkeypatch.setenv("ISOSOMA_DICOMWEB_PASSWORD", archive.password)
    said = ["image", "fetch", archive.address, "--study", study, "--user", archive.user]
    assert main([*said, "--out", str(tmp_path / "back")]) == 0
    assert capsys.readouterr().out == "26 files fetched\n"
    names = {p.name for p in (tmp_path / "back").iterdir()}
    assert names == {f"{i:06d}.dcm" for i in range(1, 27)}  # numbers, no UID and no name
    (seg,) = [p for p in (tmp_path / "back").iterdir() if read_header(p).modality == "SEG"]
    assert np.array_equal(read_seg(seg, one).labels, labels)
    seg.unlink()
    (other,) = read_study(tmp_path / "back").stacks
    assert np.array_equal(volume(one).values, volume(other).values)
    assert np.array_equal(one.grid.affine, other.grid.affine)


def test_what_the_archive_lacks_or_forbids_is_a_sentence_without_address(
    archive: Archive, tmp_path: Path
) -> None:
    with pytest.raises(InputError) as lacking:
        fetch(archive, "1.2.3.4.5.6", tmp_path / "none")
    assert "1.2.3.4.5.6" not in str(lacking.value)
    stranger = Archive(archive.address, "reader", "wrong")
    with pytest.raises(InputError, match="asks for a user") as refused:
        find(stranger)
    assert "wrong" not in str(refused.value) + repr(stranger)
    (tmp_path / "no picture.dcm").write_bytes(b"hello" * 100)
    with pytest.raises(InputError):
        store(archive, [tmp_path / "no picture.dcm"])
    assert [p.name for p in tmp_path.iterdir()] == ["no picture.dcm"]


class Broken(BaseHTTPRequestHandler):
    """Sends one whole part and half of the next, or redirects, or speaks something else."""

    def do_GET(self) -> None:
        if "elsewhere" in self.path:
            self.send_response(302)
            self.send_header("Location", "http://127.0.0.1:1/")
            self.end_headers()
            return
        self.send_response(200)
        kind = 'multipart/related; type="application/dicom"; boundary=xx'
        self.send_header("Content-Type", "text/html" if "page" in self.path else kind)
        self.end_headers()
        part = b"--xx\r\nContent-Type: application/dicom\r\n\r\n"
        self.wfile.write(part + b"whole" + b"\r\n" + part + b"half")

    def do_POST(self) -> None:
        """Name the file neither taken nor failed, as Orthanc does of one whose UIDs it misses."""
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b'{"00081198": {"vr": "SQ"}, "00081199": {"vr": "SQ"}}')

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Say nothing."""


@pytest.fixture
def broken() -> Iterator[str]:
    server = HTTPServer(("127.0.0.1", 0), Broken)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.mark.parametrize(
    ("path", "said"),
    [("", "breaks off"), ("/page", "answers with no files"), ("/elsewhere", "answers 302")],
)
def test_an_archive_that_breaks_off_leaves_nothing(
    broken: str, tmp_path: Path, path: str, said: str
) -> None:
    with pytest.raises(InputError, match=said):
        fetch(Archive(broken + path), "1.2.3", tmp_path / "out")
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_the_archive_does_not_name_as_taken_is_refused(
    broken: str, tmp_path: Path
) -> None:
    (tmp_path / "Doe^Jane").write_bytes(b"DICM" * 50)
    with pytest.raises(InputError, match="file 1 of 1: was refused") as refused:
        store(Archive(broken), [tmp_path / "Doe^Jane"])
    assert "Doe" not in str(refused.value)


@pytest.mark.parametrize("address", ["file:///etc", "ftp://a/b", "http://a:b@host/", "host"])
def test_what_is_no_archive_is_refused_before_anything_is_asked(address: str) -> None:
    with pytest.raises(FormatError, match="no address"):
        Archive(address)


def test_a_study_is_named_by_a_uid_alone(tmp_path: Path) -> None:
    with pytest.raises(FormatError, match="no UID"):
        fetch(Archive("http://127.0.0.1:1"), "../../x", tmp_path / "out")

"""Makes the pictures of the page in docs/pictures, in a real browser, so that they stay true.

    .venv/bin/python tools/pictures.py [NAME ...]

The patient is the demonstration's hidden one of a fixed seed. Bedside, under the hood, the
patient's view and the heart are taken as they come, the room once the heart team's question was
played, the plan after a signed wait that a bleed makes wrong. The heart out of pictures is that of
a real cine, beside the ECG of another person: where the data lie beside the checkout. Some minutes
on two quiet cores; on a loaded machine the banner shows the lag.
"""

from __future__ import annotations

import argparse
import io
import json
import sys
import tarfile
import tempfile
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pydicom
from PIL import Image

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from isosoma.scenario.rehearsal_file import write_rehearsal  # noqa: E402
from isosoma.serve.app import Settings  # noqa: E402
from isosoma.serve.demo import Demo, demo, heart_team, keeper_of  # noqa: E402
from tests.browser import chromium, hosted, new_page, served, until, until_alive  # noqa: E402

OUT = ROOT / "docs" / "pictures"
SEED = 7
QUALITY = 90  # of WebP [%]: a third of PNG's size, and small letters stay sharp
CALM, PATIENCE = 150, 60.0  # [ms] of lag that is waited for; [s] at most
WAIT = {
    "question": "Wait, or fill?", "for": "10 min",
    "option": [{"name": "wait"}, {"name": "fluid", "do": ["fluid 500 mL in 10 min at 60 s"]}],
}  # fmt: skip
BLEED = "bleed 1500 mL in 2 min"
DATA = ROOT.parent / "shared" / "data"
CINE = DATA / "imaging" / "cmr_bivme" / "dicoms_patient1.tar.xz"
ECG = DATA / "signals" / "mitdb" / "100"
DAY = "20240101"
OWNER = """id = "two-people"
sex = "m"
age = "40 a"
weight = "75 kg"
height = "177 cm"

[[measured]]
at = 2024-01-01T10:00:00Z
systolic_pressure = "126 mm[Hg]"
diastolic_pressure = "79 mm[Hg]"
"""
MEMBERS = 128


def keep(page: Any, name: str, part: str = "") -> None:
    """Write what is seen of the page, or of a part of it."""
    shot = page.locator(part).screenshot() if part else page.screenshot()
    Image.open(io.BytesIO(shot)).convert("RGB").save(OUT / f"{name}.webp", quality=QUALITY)


def calm(page: Any) -> None:
    """Wait until the page lags little, or for as long as is worth it."""
    lag = "Number(/lag (\\d+)/.exec(document.querySelector('#link').textContent)?.[1] ?? 1e9)"
    end = time.monotonic() + PATIENCE
    while page.evaluate(lag) > CALM and time.monotonic() < end:
        time.sleep(0.5)


def turn(page: Any, view: str) -> None:
    """Show a view and let it be drawn."""
    page.evaluate("(view) => { location.hash = view; }", view)
    until(page, f"document.body.dataset.view === '{view}'")
    time.sleep(3.0)


def post(page: Any, path: str, content: Any) -> str:
    """Ask the rehearsal room for something."""
    head = {"content-type": "application/json"}
    asked = urllib.request.Request(
        f"{page.address}rehearsals{path}", json.dumps(content).encode(), head
    )
    with urllib.request.urlopen(asked, timeout=600) as answer:
        return answer.read().decode()


def played(page: Any, rehearsal: Any) -> str:
    """Keep and play a rehearsal; return its id."""
    id_ = json.loads(post(page, "", {"rehearsal": rehearsal}))["id"]
    if "event: answer" not in (said := post(page, f"/{id_}/play", {"members": MEMBERS})):
        raise SystemExit(f"the rehearsal was not played: {said[-300:]}")
    return id_


def told(page: Any, enough: Callable[[Any], Any], seconds: float = 1200.0) -> None:
    """Wait for what the plan's message has to say."""
    end = time.monotonic() + seconds
    while not ("plan" in page.keeper.messages and enough(page.keeper.messages["plan"][1])):
        if time.monotonic() > end:
            raise SystemExit("the plan did not come so far: is the machine loaded?")
        time.sleep(0.5)


def bedside(page: Any, _: Demo) -> None:
    """The bedside, and the heart cut open."""
    turn(page, "bedside")
    until(page, "document.querySelectorAll('#forecasts figure').length === 4", 120.0)
    calm(page)
    keep(page, "bedside")


def heart(page: Any, _: Demo) -> None:
    """The heart from the chambers' side, cut open."""
    turn(page, "bedside")
    page.keyboard.press("v")
    page.keyboard.press("x")
    time.sleep(3.0)
    keep(page, "heart", "#stage")
    page.reload()
    until_alive(page)


def hood(page: Any, _: Demo) -> None:
    """What the twin believes."""
    turn(page, "hood")
    calm(page)
    keep(page, "hood")


def patient(page: Any, _: Demo) -> None:
    """The patient's own view."""
    turn(page, "patient")
    calm(page)
    keep(page, "patient")


def room(page: Any, _: Demo) -> None:
    """The rehearsal room, three futures of the heart team's question."""
    id_ = played(page, json.loads(write_rehearsal(heart_team())))
    page.set_viewport_size({"width": 1280, "height": 1240})
    page.evaluate("(id) => sessionStorage.setItem('rehearsal', id)", id_)
    page.goto(f"{page.address}?fine#rehearse")
    page.reload()
    until(page, "document.querySelectorAll('.future canvas').length === 3", 120.0)
    time.sleep(5.0)
    calm(page)
    keep(page, "room", "#view-rehearse")
    page.set_viewport_size({"width": 1280, "height": 720})


def plan(page: Any, made: Demo) -> None:
    """A signed wait, left by a patient who bleeds, and what fits."""
    id_ = played(page, WAIT)
    who = {"name": "A", "qualification": "test"}
    post(page, f"/{id_}/review", who)
    post(page, f"/{id_}/sign", who | {"option": "wait"})
    post(page, f"/{id_}/begin", {})
    page.goto("about:blank")  # a page that is drawn slows the patient where no card draws it
    told(page, lambda p: p.minute >= 2.0)
    made.act(BLEED)
    told(page, lambda p: p.causes)
    page.goto(f"{page.address}?fine#bedside")
    until_alive(page)
    until(page, "document.querySelector('#plan.left .causes li')", 500.0)
    calm(page)
    keep(page, "plan", "#view-bedside")


def own_heart(page: Any) -> None:
    """The bedside with the ventricles of a cine."""
    turn(page, "bedside")
    until(page, "document.querySelectorAll('#forecasts figure').length === 4", 120.0)
    calm(page)
    keep(page, "own-heart")


def images(page: Any) -> None:
    """The pictures, their contours and the heart that was found in them."""
    turn(page, "images")
    until(page, "document.querySelectorAll('.images canvas').length >= 3", 60.0)
    time.sleep(5.0)
    keep(page, "images")


PICTURES: dict[str, Callable[[Any, Demo], None]] = {
    "bedside": bedside, "heart": heart, "hood": hood, "patient": patient, "room": room,
    "plan": plan,
}  # fmt: skip
OWN: dict[str, Callable[[Any], None]] = {"own-heart": own_heart, "images": images}


def of_demo(browser: Any, names: list[str]) -> None:
    """Make those of the demonstration that are named."""
    made = demo(SEED)
    keeper = keeper_of(made)
    with hosted(Settings(made.recording, keeper=keeper, demo=made)) as address:
        page = new_page(browser)
        page.address, page.keeper = address, keeper
        page.goto(f"{address}?fine")
        until_alive(page)
        for name in names:
            PICTURES[name](page, made)
        over(page)


def undated(folder: Path) -> None:
    """Give pictures a day that tells of nobody."""
    for path in (p for p in folder.rglob("*") if p.is_file()):
        held = pydicom.dcmread(path)
        for element in held.iterall():
            if element.VR in ("DA", "DT") and element.value:
                element.value = DAY + str(element.value)[8:]
        held.save_as(path)


def of_cine(browser: Any, names: list[str]) -> None:
    """Make those of the heart out of pictures that are named."""
    with tempfile.TemporaryDirectory() as place, tarfile.open(CINE) as packed:
        packed.extractall(f"{place}/images", filter="data")
        undated(Path(place, "images"))
        Path(place, "patient.toml").write_text(OWNER, "utf-8")
        with served("--patient", place, "--record", str(ECG)) as (_, address):
            page = new_page(browser)
            page.goto(f"{address}?fine")
            until(page, "document.body.dataset.twin === 'live'", 900.0)
            until(page, "document.querySelector('.heart-pictured') !== null", 120.0)
            for name in names:
                OWN[name](page)
            over(page)


def over(page: Any) -> None:
    """Close a page that has not failed."""
    if page.faults:
        raise SystemExit(f"the page failed: {page.faults}")
    page.close()


def main() -> None:
    """Make all, or those that are named."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("name", nargs="*", choices=[[], *PICTURES, *OWN], help="by default all")
    names = asked.parse_args().name or [*PICTURES, *OWN]
    with chromium() as browser:
        if mine := [n for n in PICTURES if n in names]:
            of_demo(browser, mine)
        if mine := [n for n in OWN if n in names]:
            if not CINE.is_file():
                raise SystemExit(
                    f"{', '.join(mine)}: not made, no real cine lies beside the checkout"
                )
            of_cine(browser, mine)


if __name__ == "__main__":
    main()

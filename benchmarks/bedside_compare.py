"""Compare three options on 256 members over ten minutes: at the command line, and in the page.

    python3 dev.py bench bedside_compare [--members 256]

``docs/rehearsals/induction.toml``, with the machine's kernels compiled. In the page the comparison
runs beside the live demonstration, its twin and the drawing heart, and is read as the room's own
script reads it. The last line is one JSON object.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))
from tests.browser import chromium, new_page, served, until  # noqa: E402

FILE = ROOT / "docs" / "rehearsals" / "induction.toml"
PLAY = """async ([rehearsal, members]) => {
  const post = (path, body) => fetch("./rehearsals" + path, {
    method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body),
  });
  const asked = await (await post("", { rehearsal })).json();
  const began = performance.now(), told = { events: 0 };
  const { body } = await post(`/${asked.id}/play`, { members });
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  for (let part = await reader.read(); !part.done; part = await reader.read()) {
    const blocks = (rest + part.value).split("\\n\\n");
    rest = blocks.pop();
    for (const block of blocks) {
      told.events += 1;
      if (block.startsWith("event: fault")) told.fault = block;
      if (!block.startsWith("event: progress")) told.first ??= (performance.now() - began) / 1e3;
    }
  }
  told.all = (performance.now() - began) / 1e3;
  return told;
}"""


def at_command_line(members: int) -> dict[str, float]:
    """Return what `isosoma rehearse` says of its own time [s]; the first run compiles."""
    command = [sys.executable, "-m", "isosoma", "rehearse", str(FILE), "--json"]
    for count in (8, members):
        done = subprocess.run(
            [*command, "--members", str(count)], stdout=subprocess.PIPE, text=True, check=False
        )
    said = json.loads(done.stdout)
    return {key: round(said[key], 2) for key in ("compare_s", "compare_first_s")}


def in_page(members: int) -> dict[str, Any]:
    """Return when the page had the first and the last result [s]."""
    with chromium() as browser, served() as (_, address):
        page = new_page(browser)
        page.goto(address)
        until(page, "document.body.dataset.twin === 'live'", 900.0)
        page.wait_for_timeout(5000)
        told = page.evaluate(PLAY, [FILE.read_text("utf-8"), members])
        page.close()
    return told


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--members", type=int, default=256)
    parser.add_argument("--no-peers", action="store_true", help="there are none")
    given = parser.parse_args()
    found: dict[str, Any] = at_command_line(given.members)
    print(json.dumps(found), flush=True)
    page = in_page(given.members)
    if "fault" in page:
        print(page["fault"], flush=True)
    found |= {"page_compare_s": page.get("all"), "page_first_s": page.get("first")}
    print(json.dumps(found | {"load": round(os.getloadavg()[0], 1)}))


if __name__ == "__main__":
    main()

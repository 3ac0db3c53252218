"""`GET /heart.glb`: the patient's own ventricles as they move, where pictures gave them.

The file that `isosoma image build` writes, so that what the page shows is what is handed on. From
this machine only, as the pictures are; 204 until there is a heart, which `/pictures` explains.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from fastapi import FastAPI, Request, Response

from isosoma.serve.heart_files import heart_glb
from isosoma.serve.pictures import Pictures
from isosoma.serve.telemetry import answer

__all__ = ["Scan", "add_route"]

_LOOPBACK = ("127.0.0.1", "::1")


@dataclass(slots=True, eq=False)
class Scan:
    """Pictures and where they are from.

    Attributes
    ----------
    date : of the pictures, empty where it is not told. source : digest of their files.
    """

    pictures: Pictures
    date: str = ""
    source: str = ""


def add_route(app: FastAPI, scan: Scan | None) -> None:
    """Add the route; a corrected heart is served from the next question on."""

    async def mesh(request: Request) -> Response:
        host = request.client.host if request.client else ""
        if host not in _LOOPBACK:
            return answer(403, {"error": "Pictures are shown on the server's own machine only."})
        if scan is None or scan.pictures.heart is None:
            return Response(status_code=204)  # no error: most patients have no pictures
        volumes, heart = scan.pictures.volumes, scan.pictures.heart
        frame = volumes[0].grid.frame if volumes else ""
        made = await asyncio.to_thread(heart_glb, heart, frame, scan.source, scan.date)
        return Response(made, media_type="model/gltf-binary")

    app.add_api_route("/heart.glb", mesh, methods=["GET"])

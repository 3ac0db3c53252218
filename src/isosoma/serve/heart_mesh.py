"""`GET /heart.glb`: the patient's own ventricles as they move, where pictures gave them.

The file that `isosoma image build` writes, so that what the page shows is what is handed on. From
this machine only, as the pictures are; 204 until there is a heart, which `/pictures` explains.
"""

from __future__ import annotations

import asyncio

from fastapi import FastAPI, Request, Response

from isosoma.serve.guard import is_local
from isosoma.serve.heart_files import heart_glb
from isosoma.serve.pictures import Pictures
from isosoma.serve.telemetry import answer

__all__ = ["add_route"]


def add_route(app: FastAPI, pictures: Pictures | None) -> None:
    """Add the route; a corrected heart is served from the next question on."""

    async def mesh(request: Request) -> Response:
        if not is_local(request):
            return answer(403, {"error": "Pictures are shown on the server's own machine only."})
        if pictures is None or pictures.heart is None:
            return Response(status_code=204)  # no error: most patients have no pictures
        volumes, heart = pictures.volumes, pictures.heart
        frame = volumes[0].grid.frame if volumes else ""
        made = await asyncio.to_thread(heart_glb, heart, frame, pictures.source, pictures.date)
        return Response(made, media_type="model/gltf-binary")

    app.add_api_route("/heart.glb", mesh, methods=["GET"])

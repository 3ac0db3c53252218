"""What every request must pass: a known Host, a same-site Origin, a bounded body; and the headers.

A page of another site can reach a server on this machine through a name that resolves to it (DNS
rebinding); it cannot choose the Host and Origin its browser sends.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

__all__ = ["BODY_LIMIT", "HEADERS", "Guard", "host_of", "is_local"]

BODY_LIMIT = 32 << 20  # [byte]
HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
        "connect-src 'self'; font-src 'self'; base-uri 'none'; form-action 'none'; "
        "frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}
LOOPBACK = ("localhost", "127.0.0.1", "::1")


def host_of(authority: str) -> str:
    """Host of `host:port` or `[v6]:port`, lower case; empty where it is none."""
    try:
        return urlsplit(f"//{authority}").hostname or ""
    except ValueError:
        return ""


def is_local(request: Request) -> bool:
    """Whether a request comes from this machine: what may be done from here only asks it."""
    return request.client is not None and request.client.host in LOOPBACK[1:]


@dataclass(frozen=True, slots=True)
class Guard:
    """ASGI middleware; `hosts` are the names this server answers to beside loopback."""

    app: ASGIApp
    hosts: tuple[str, ...] = ()
    limit: int = BODY_LIMIT

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, or refuse it with a sentence."""
        if scope["type"] not in ("http", "websocket"):
            await self.app(scope, receive, send)
            return
        refusal = refuse(Headers(scope=scope), {*LOOPBACK, *self.hosts}, self.limit)
        if refusal is None:
            await self.app(scope, receive, with_headers(send))
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008, "reason": refusal[1]})
        else:
            answer = PlainTextResponse(refusal[1], refusal[0], dict(HEADERS))
            await answer(scope, receive, send)


def refuse(headers: Headers, hosts: Iterable[str], limit: int) -> tuple[int, str] | None:
    """Return status and sentence of a refusal, None where the request may pass."""
    known = set(hosts)
    authority = headers.get("host", "")
    if host_of(authority) not in known:
        return 421, "This server does not answer to that host name."
    origin = headers.get("origin")
    if origin is not None and urlsplit(origin).netloc != authority:
        return 403, "Requests from another site are refused."
    length = headers.get("content-length", "0")
    if not length.isdigit() or int(length) > limit:
        return 413, f"The body is larger than {limit >> 20} MiB; send it in parts."
    return None


def with_headers(send: Send) -> Send:
    """Wrap `send` so that every response carries the security headers."""

    async def wrapped(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            for name, value in HEADERS.items():
                headers.setdefault(name, value)
        await send(message)

    return wrapped

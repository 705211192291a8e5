"""The web application of a demo: the page and its answers, for this machine alone.

A page of another site that is open in the same browser can send requests here too. So each request must be addressed to
this machine by name (no foreign name that was made to point here), and must come from our own page where it says where
it comes from; and no other site can read or frame what is answered.
"""

from __future__ import annotations

import json
import threading
import traceback
from collections.abc import Mapping
from importlib import resources
from typing import Any

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from seqtag.demo.page import Demo
from seqtag.errors import SeqtagError, one_line, shown

NAMES = ("127.0.0.1", "localhost")
# Path, file and type of what the page is made of.
ASSETS = {
    "/": ("page.html", "text/html"),
    "/page.css": ("page.css", "text/css"),
    "/page.js": ("page.js", "text/javascript"),
    "/chart.js": ("chart.js", "text/javascript"),
}
JSON = "application/json"
HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}
# Of a character in JSON, where it is escaped, and of all else in a request.
BYTES_OF_CHARACTER, BYTES_AROUND = 12, 4_096


def demo_app(demo: Demo, port: int) -> ASGIApp:
    """The application of a demo that is served at this port."""
    lock = threading.Lock()
    most = BYTES_AROUND + BYTES_OF_CHARACTER * sum(field.most for field in demo.fields)

    def settings(request: Request) -> Response:
        return JSONResponse(demo.to_dict())

    def asset(request: Request) -> Response:
        name, media_type = ASSETS[request.url.path]
        content = resources.files("seqtag.demo").joinpath("assets", name).read_text(encoding="utf-8")
        return Response(content, media_type=media_type)

    async def answer(request: Request) -> Response:
        if request.headers.get("content-type", "").partition(";")[0].strip() != JSON:
            return _refused(415, f"expected {JSON}, found another type of content")
        body = await _body(request, most)
        if body is None:
            return _refused(413, f"expected at most {most:,} bytes, found more")
        return await run_in_threadpool(_answered, demo, body, lock)

    routes = [Route(path, asset) for path in ASSETS]
    routes += [Route("/settings", settings), Route("/answer", answer, methods=["POST"])]
    return _Guard(Starlette(routes=routes), port)


class _Guard:
    """Refuses requests that are not addressed to this machine or come from another site, and adds the headers."""

    def __init__(self, app: ASGIApp, port: int) -> None:
        self.app = app
        self.hosts = {f"{name}:{port}" for name in NAMES}
        self.origins = {f"http://{host}" for host in self.hosts}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            # Starlette answers the messages of its lifespan, and refuses web sockets, for which there is no route.
            return await self.app(scope, receive, send)

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                added = [(name.lower().encode(), value.encode()) for name, value in HEADERS.items()]
                message["headers"] = [*message["headers"], *added]
            await send(message)

        fault = self._fault(Request(scope))
        await (self.app if fault is None else fault)(scope, receive, send_with_headers)

    def _fault(self, request: Request) -> Response | None:
        hosts, origins = request.headers.getlist("host"), request.headers.getlist("origin")
        if len(hosts) != 1 or hosts[0].lower() not in self.hosts:
            return _refused(421, f"expected a request to {NAMES[0]}, found {shown(', '.join(hosts))}")
        if any(origin.lower() not in self.origins for origin in origins):
            return _refused(403, f"expected a request of this page, found one of {shown(', '.join(origins))}")
        return None


async def _body(request: Request, most: int) -> bytes | None:
    """The content of a request; None where it is too long."""
    body = bytearray()
    async for part in request.stream():
        body += part
        if len(body) > most:
            return None
    return bytes(body)


def _answered(demo: Demo, body: bytes, lock: threading.Lock) -> Response:
    try:
        texts, numbers = _values(demo, body)
        with lock:
            return JSONResponse(demo.answer(texts, numbers).to_dict())
    except SeqtagError as error:
        return _refused(422, str(error))
    except Exception as error:
        traceback.print_exc()
        return _refused(500, f"{type(error).__name__}: {error}")


def _values(demo: Demo, body: bytes) -> tuple[dict[str, str], dict[str, int]]:
    """The texts and the numbers of a request, within their bounds.

    Raises:
        SeqtagError: what a value should be, and what it is.
    """
    try:
        given = json.loads(body)
    except (ValueError, RecursionError):
        raise SeqtagError("expected JSON, found something else") from None
    if not isinstance(given, dict):
        raise SeqtagError(f"expected a JSON object, found {shown(given)}")
    return (
        {field.name: _text(given, field.name, field.label, field.most) for field in demo.fields},
        {number.name: _number(given, number.name, number.value, number.least, number.most) for number in demo.numbers},
    )


def _text(given: Mapping[str, Any], name: str, label: str, most: int) -> str:
    text = given.get(name, "")
    if not isinstance(text, str):
        raise SeqtagError(f"{label}: expected text, found {shown(text)}")
    if len(text) > most:
        raise SeqtagError(f"{label}: expected at most {most:,} characters, found {len(text):,}")
    # JSON may hold halves of characters, which no file has.
    return text.encode("utf-8", "replace").decode()


def _number(given: Mapping[str, Any], name: str, value: int, least: int, most: int) -> int:
    number = given.get(name, value)
    if isinstance(number, bool) or not isinstance(number, int) or not least <= number <= most:
        raise SeqtagError(f"{name}: expected a whole number from {least} to {most}, found {shown(number)}")
    return number


def _refused(status: int, message: str) -> Response:
    return JSONResponse({"error": one_line(message)}, status)

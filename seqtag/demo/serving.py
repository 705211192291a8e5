"""Serves a demo on this machine until it is interrupted."""

from __future__ import annotations

import socket
from contextlib import suppress
from importlib.util import find_spec

from seqtag.demo.page import Demo
from seqtag.errors import ConfigError, reason_of
from seqtag.process.streams import warn

HOST = "127.0.0.1"
NEEDED = ("starlette", "uvicorn")


def check_web() -> None:
    """Checks that the extra `web` is installed.

    Raises:
        ConfigError: it is not.
    """
    missing = [name for name in NEEDED if find_spec(name) is None]
    if missing:
        raise ConfigError(f"expected {' and '.join(NEEDED)}, found no {missing[0]}; pip install 'seqtag[web]'")


def open_port(port: int) -> socket.socket:
    """A socket that listens at this port of this machine; at a free one for 0.

    Raises:
        ConfigError: the port is taken, or not ours to open.
    """
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((HOST, port))
    except OSError as error:
        listener.close()
        raise ConfigError(f"--port: expected a free port, found a fault at {port}: {reason_of(error)}") from None
    return listener


def serve(demo: Demo, listener: socket.socket) -> None:
    """Answers requests until it is interrupted."""
    import uvicorn

    from seqtag.demo.app import demo_app

    port = listener.getsockname()[1]
    config = uvicorn.Config(
        demo_app(demo, port), log_level="error", access_log=False, server_header=False, proxy_headers=False, ws="none"
    )
    warn(f"open http://{HOST}:{port} in a browser; Ctrl+C ends the server")
    with suppress(KeyboardInterrupt):
        uvicorn.Server(config).run(sockets=[listener])

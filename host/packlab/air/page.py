"""Serves the phone page on this computer alone; a browser takes such an address for a safe one."""

import os
import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Self

from packlab.errors import PacklabError

PAGE = Path(__file__).resolve().parent.parent / "phone"
PORT = 8765
_TYPES = {".js": "text/javascript", ".webmanifest": "application/manifest+json"}


class _Handler(SimpleHTTPRequestHandler):
    def guess_type(self, path: str | os.PathLike[str]) -> str:
        """Modules and the manifest are taken by their type alone; Python's list depends on the
        system's."""
        return _TYPES.get(Path(path).suffix) or super().guess_type(path)

    def end_headers(self) -> None:
        """The service worker keeps what is to be kept; nobody else shall."""
        self.send_header("Cache-Control", "no-cache")
        super().end_headers()

    def log_message(self, format: str, *args: Any) -> None:
        """Nobody wants to read a line for each file."""


class PageServer:
    """`with PageServer(port) as server`: the page at `server.address`; port 0 = any free one."""

    def __init__(self, port: int = PORT, folder: Path = PAGE) -> None:
        try:
            self._server = ThreadingHTTPServer(
                ("127.0.0.1", port), partial(_Handler, directory=str(folder))
            )
        except OSError as error:
            raise PacklabError(
                f"port {port} cannot be used ({error.strerror}); choose another with --port"
            ) from error
        self._server.daemon_threads = True
        self.address = f"http://localhost:{self._server.server_address[1]}/"

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

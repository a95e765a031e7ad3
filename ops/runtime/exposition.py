"""/metrics, /livez and /readyz of every process, on a thread of its own; on loopback unless another host is given.

Machines use the status code; the body lists the checks by name for people.
"""

import logging
import sys
import threading
from collections.abc import Callable, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from prometheus_client import CollectorRegistry
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4, generate_latest

_log = logging.getLogger(__name__)

Checks = Callable[[], Mapping[str, bool]]


class _PageServer(ThreadingHTTPServer):
    """Logs nothing about a client that hung up: the library would print its address, and a traceback."""

    def handle_error(self, request: object, client_address: object) -> None:
        if not isinstance(sys.exception(), ConnectionError):
            _log.error("a page was not answered", exc_info=True)


class Exposition:
    """Serves the three pages from start() to stop()."""

    def __init__(self, registry: CollectorRegistry, *, live: Checks, ready: Checks, host: str, port: int) -> None:
        pages = {"/livez": live, "/readyz": ready}

        class Pages(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                if self.path == "/metrics":
                    self._answer(200, CONTENT_TYPE_PLAIN_0_0_4, generate_latest(registry))
                elif self.path in pages:
                    checks = pages[self.path]()
                    text = "".join(f"{name} {'ok' if good else 'failing'}\n" for name, good in checks.items())
                    self._answer(200 if all(checks.values()) else 503, "text/plain", text.encode())
                else:
                    self._answer(404, "text/plain", b"/metrics /livez /readyz\n")

            def _answer(self, status: int, content_type: str, body: bytes) -> None:
                self.send_response(status)
                self.send_header("Content-Type", content_type)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *args: object) -> None:
                """Log nothing: a request line may be about a person."""

        self._server = _PageServer((host, port), Pages)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, name="exposition", daemon=True)

    @property
    def port(self) -> int:
        """The bound port."""
        return int(self._server.server_address[1])

    def start(self) -> None:
        """Begin to serve."""
        self._thread.start()

    def stop(self) -> None:
        """Stop serving and close the port."""
        self._server.shutdown()
        self._server.server_close()

"""A real HTTP server for tests and benchmarks that takes what is posted, and misbehaves as it is told."""

import http.server
import threading
from collections.abc import Callable, Mapping
from typing import NamedTuple

Handler = http.server.BaseHTTPRequestHandler


class Posted(NamedTuple):
    path: str
    headers: Mapping[str, str]
    """Names in lower case."""
    body: bytes


Answer = Callable[[Handler], None]
"""What is done after a request was read."""


def answered(status: int, headers: Mapping[str, str] | None = None) -> Answer:
    """With that status, and nothing else."""

    def answer(handler: Handler) -> None:
        handler.send_response(status)
        for name, value in (headers or {}).items():
            handler.send_header(name, value)
        handler.send_header("content-length", "0")
        handler.end_headers()

    return answer


class HookServer:
    """A context manager."""

    def __init__(self) -> None:
        self.posted: list[Posted] = []
        self.answers: list[Answer] = []
        """One a request; then `usual`."""
        self.usual: Answer = answered(200)
        self.over = threading.Event()
        """Set when it ends: what an endless answer waits for."""
        server = self

        class Taking(Handler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("content-length", 0)))
                headers = {name.lower(): value for name, value in self.headers.items()}
                server.posted.append(Posted(self.path, headers, body))
                answer = server.answers.pop(0) if server.answers else server.usual
                try:
                    answer(self)
                except OSError:
                    # Whoever asked is gone.
                    self.close_connection = True

            def log_message(self, *arguments: object) -> None:
                pass

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Taking)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}/hook"

    def __enter__(self) -> "HookServer":
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        return self

    def __exit__(self, *cause: object) -> None:
        self.over.set()
        self._server.shutdown()
        self._server.server_close()

"""A port where whoever supervises a fleet asks a board by HTTP: /metrics, /healthz, /readyz. Nothing of what was said.

One request after the other, each over within a second: a board has better things to do.
"""

import io
import selectors
import socket
import socketserver
import sys
import time
from collections.abc import Callable, Mapping
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import TYPE_CHECKING, Any

from common.addresses import Address
from common.errors import SettingsError
from edge.board.metrics import metrics_text
from edge.worker import Worker

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

TIME_S_MAX = 1.0
"""Of a request, however slowly it comes."""
TEXT = "text/plain; charset=utf-8"
TEXT_FORMAT = f"{TEXT}; version=0.0.4"

Status = Callable[[], Mapping[str, Any]]
"""See Board.status."""


class Monitoring:
    """The port, as a context manager. Its worker's death is to be noticed."""

    def __init__(self, listen: Address, status: Status) -> None:
        self._listen = listen
        self._status = status
        self.worker = Worker("monitoring", self._serve)

    def __enter__(self) -> "Monitoring":
        """SettingsError, a sentence, if it cannot listen."""
        try:
            self._server = _Server(self._listen, self._status)
        except OSError as error:
            raise SettingsError(
                f"monitoring.listen: cannot listen on {self._listen} ({error.strerror or error}); is it in use?"
            ) from error
        self._ending, self._ended = socket.socketpair()
        self.worker.start()
        return self

    def __exit__(self, *cause: object) -> None:
        self._ending.close()
        self.worker.join(3 * TIME_S_MAX)
        self._ended.close()
        self._server.server_close()

    @property
    def address(self) -> Address:
        """With the port that was picked."""
        return Address(self._listen.host, self._server.server_address[1])

    def _serve(self) -> None:
        # `serve_forever` would wake up twice a second to look whether it is over: more than whoever asks costs.
        self._server.timeout = 0
        with selectors.DefaultSelector() as selector:
            selector.register(self._server, selectors.EVENT_READ)
            selector.register(self._ended, selectors.EVENT_READ)
            while not any(key.fileobj is self._ended for key, _ in selector.select()):
                self._server.handle_request()


class _Server(HTTPServer):
    request_queue_size = 16

    def __init__(self, listen: Address, status: Status) -> None:
        self.address_family = socket.AF_INET6 if listen.host.startswith("[") else socket.AF_INET
        self.status = status
        super().__init__((listen.host.strip("[]"), listen.port), _Handler)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that went away is its own business; what is ours ends the daemon."""
        error = sys.exception()
        if error is not None and not isinstance(error, OSError):
            self.shutdown_request(request)
            raise error

    def server_bind(self) -> None:
        """Without looking its own name up, which may take long."""
        socketserver.TCPServer.server_bind(self)
        self.server_name, self.server_port = str(self.server_address[0]), int(self.server_address[1])


class _Reading(socket.SocketIO):
    """What a client sends within a time, all of it together: a byte now and then would hold everybody up. A timer's
    thread would cost as much as the answer."""

    def __init__(self, client: socket.socket, time_s_max: float) -> None:
        super().__init__(client, "r")
        self._client = client
        self._until_s = time.monotonic() + time_s_max

    def readinto(self, buffer: "WriteableBuffer") -> int | None:
        """TimeoutError when its time is over."""
        self._client.settimeout(max(0.001, self._until_s - time.monotonic()))
        return super().readinto(buffer)


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    server_version = "parrotlet-edge"
    sys_version = ""
    timeout = TIME_S_MAX

    def setup(self) -> None:
        """As it is, but for how long a request may take."""
        super().setup()
        self.rfile.close()
        self.rfile = io.BufferedReader(_Reading(self.connection, TIME_S_MAX))

    def do_GET(self) -> None:
        said = self.server.status()
        match self.path:
            case "/metrics":
                self._tell(200, metrics_text(said), TEXT_FORMAT)
            case "/healthz":
                self._tell_sentence(said["ailment"])
            case "/readyz":
                self._tell_sentence(said["ailment"] or _why_not_ready(said))
            case _:
                self._tell(404, "There are /metrics, /healthz and /readyz.\n", TEXT)

    def log_message(self, format: str, *args: Any) -> None:
        """A stranger's nonsense shall not fill the log."""

    def _tell_sentence(self, sentence: str | None) -> None:
        self._tell(503 if sentence else 200, f"{sentence or 'well'}\n", TEXT)

    def _tell(self, status: int, text: str, kind: str) -> None:
        body = text.encode()
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def _why_not_ready(said: Mapping[str, Any]) -> str | None:
    microphone = said["microphone"]["state"]
    if microphone != "open":
        return f"The microphone is {microphone}."
    return None

"""A phone that is paired with a page on loopback without TLS, and asks as its browser does."""

import http.client
import json
import queue
import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import numpy as np
from websockets.sync.client import ClientConnection, connect
from websockets.typing import Origin

from edge.page.page import Page
from edge.phones.cookie import cookie_name
from edge.sound.source import Block

PATIENCE_S = 30.0


class Looking:
    """What one phone is sent by server-sent events."""

    def __init__(self, port: int, query: str = "", **headers: str) -> None:
        self.items: queue.Queue[tuple[str, dict[str, Any], int | None]] = queue.Queue()
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE_S)
        self._connection.request("GET", f"/events{query}", headers=headers)
        # Afterwards the connection knows it no more.
        self._socket = self._connection.sock
        self._response = self._connection.getresponse()
        self.status = self._response.status
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def next(self, *kinds: str) -> tuple[dict[str, Any], int | None]:
        """The next of these kinds."""
        while True:
            kind, data, number = self.items.get(timeout=PATIENCE_S)
            if kind in kinds:
                return data, number

    def close(self) -> None:
        # A stream that is read in another thread ends with its socket.
        with suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._thread.join(PATIENCE_S)
        self._response.close()
        self._connection.close()

    def _read(self) -> None:
        fields: dict[str, str] = {}
        with suppress(OSError, ValueError, AttributeError, http.client.HTTPException):
            for line in self._response:
                text = line.decode().rstrip("\r\n")
                if text:
                    name, _, value = text.partition(": ")
                    fields[name] = value
                elif "event" in fields:
                    number = int(fields["id"]) if "id" in fields else None
                    self.items.put((fields["event"], json.loads(fields["data"]), number))
                    fields = {}


class Phone:
    """One that is paired now."""

    def __init__(self, page: Page) -> None:
        self.port = page.port
        admitted = page.invitations.accept(page.invitations.invite().token, "Ada's phone", peer="here")
        self.id = admitted.phone.id
        self.cookie = f"{cookie_name(tls=False)}={admitted.cookie}"
        self._headers = {
            "Cookie": self.cookie,
            "Origin": f"http://127.0.0.1:{page.port}",
        }

    def look(self, query: str = "", **headers: str) -> Looking:
        return Looking(self.port, query, **self._headers, **headers)

    def ask(self, path: str, body: dict[str, Any] | str | None = None) -> tuple[int, Any]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE_S)
        content = json.dumps(body) if isinstance(body, dict) else body
        connection.request("GET" if body is None else "POST", path, content, headers=self._headers)
        response = connection.getresponse()
        read = response.read()
        connection.close()
        return response.status, json.loads(read) if read else None

    def speak(self) -> ClientConnection:
        address = f"ws://127.0.0.1:{self.port}/microphone"
        cookie = {"Cookie": self.cookie}
        return connect(address, origin=Origin(self._headers["Origin"]), additional_headers=cookie)

    def say(self, blocks: list[Block], first: int = 0) -> None:
        """Speaks, lets go, and waits until the board has closed."""
        with self.speak() as microphone:
            microphone.send(json.dumps({"rate_hz": 16000, "mode": "push"}))
            assert json.loads(microphone.recv(PATIENCE_S)) == {"ready": True}
            for message in messages(blocks, first):
                microphone.send(message)
            microphone.send(json.dumps({"end": True}))


def messages(blocks: list[Block], first: int = 0) -> Iterator[bytes]:
    """What a phone's microphone sends of them."""
    sound = np.concatenate([block.samples for block in blocks])
    for start in range(0, len(sound), 640):
        yield struct.pack("<I", (first + start) % 2**32) + sound[start : start + 640].astype("<i2").tobytes()

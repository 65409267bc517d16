"""A phone in the container that is booted, run by the Python that was installed there.

    booted_phone.py stranger [CODE] | pair CODE | events KIND | answers | say WAV

Its cookie is kept between calls. Each line that it prints is JSON, the last one is what was asked for.
"""

import http.client
import json
import socket
import ssl
import struct
import sys
import wave
from collections.abc import Callable, Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any

HOST, PORT = "127.0.0.1", 7409
ORIGIN = f"https://{HOST}:{PORT}"
COOKIE = Path.home() / "phone.cookie"
PATIENCE_S = 60.0


def context() -> ssl.SSLContext:
    """The board's certificate is its own: it is compared with what the board says it is."""
    unknown = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    unknown.check_hostname, unknown.verify_mode = False, ssl.CERT_NONE
    return unknown


def ask(path: str, body: dict[str, str] | None = None, *, as_stranger: bool = False) -> http.client.HTTPResponse:
    connection = http.client.HTTPSConnection(HOST, PORT, timeout=PATIENCE_S, context=context())
    headers = {"Origin": ORIGIN} | ({} if as_stranger else {"Cookie": COOKIE.read_text()})
    connection.request("GET" if body is None else "POST", path, None if body is None else json.dumps(body), headers)
    return connection.getresponse()


def stranger(code: str = "") -> dict[str, Any]:
    with context().wrap_socket(socket.create_connection((HOST, PORT))) as tls:
        version, shown = tls.version(), tls.getpeercert(binary_form=True) or b""
    page = ask("/", as_stranger=True)
    return {
        "tls": version,
        "fingerprint": sha256(shown).hexdigest(),
        "/": page.status,
        "text": page.read().decode(),
        "/answers": ask("/answers", as_stranger=True).status,
        "paired": ask("/pair", {"code": code}, as_stranger=True).status if code else None,
    }


def pair(code: str) -> dict[str, Any]:
    response = ask("/pair", {"code": code, "name": "Ada's phone"}, as_stranger=True)
    COOKIE.write_text((response.getheader("Set-Cookie") or "").partition(";")[0])
    return {"status": response.status}


def answers() -> dict[str, Any]:
    response = ask("/answers")
    return {"status": response.status, **json.loads(response.read())}


def events(kind: str) -> dict[str, Any]:
    """The first of this kind; hello is printed as well."""
    for name, data in told(ask("/events")):
        if name == "hello":
            print(json.dumps(data), flush=True)
        if name == kind:
            return data
    raise SystemExit("the stream ended")


def told(response: http.client.HTTPResponse) -> Iterator[tuple[str, dict[str, Any]]]:
    fields: dict[str, str] = {}
    for line in response:
        name, _, value = line.decode().rstrip("\r\n").partition(": ")
        if name:
            fields[name] = value
        elif "event" in fields:
            yield fields["event"], json.loads(fields["data"])
            fields = {}


def say(file: str) -> dict[str, Any]:
    from websockets.sync.client import connect
    from websockets.typing import Origin

    with wave.open(file) as sound:
        rate_hz, pcm = sound.getframerate(), sound.readframes(sound.getnframes())
    address, cookie = f"wss://{HOST}:{PORT}/microphone", {"Cookie": COOKIE.read_text()}
    with connect(address, ssl=context(), origin=Origin(ORIGIN), additional_headers=cookie) as microphone:
        microphone.send(json.dumps({"rate_hz": rate_hz, "mode": "push"}))
        microphone.recv(PATIENCE_S)
        for at in range(0, len(pcm), 4096):
            microphone.send(struct.pack("<I", at // 2) + pcm[at : at + 4096])
        microphone.send(json.dumps({"end": True}))
        for _ in microphone:
            pass
    events("answer")
    return answers()


if __name__ == "__main__":
    commands: dict[str, Callable[..., dict[str, Any]]] = {
        "stranger": stranger,
        "pair": pair,
        "answers": answers,
        "events": events,
        "say": say,
    }
    print(json.dumps(commands[sys.argv[1]](*sys.argv[2:])))

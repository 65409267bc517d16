"""One HTTP request, which ends after its time whatever the other side does, and reads no more than it must."""

import http.client
import socket
import ssl
import threading
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from urllib.parse import urlsplit

from common.errors import ActionError, SettingsError


class PostError(Exception):
    """Raised when there was no answer; why, without a full stop."""


def check_url(url: str) -> None:
    """SettingsError, a sentence, if nobody can be asked there."""
    try:
        parts = urlsplit(url)
        usable = bool(parts.hostname) and parts.port != 0
    except ValueError:
        usable = False
    if not usable:
        raise SettingsError(f"{url!r} is no address such as https://house.example/hook.")


def trusted(ca_file: Path | None) -> ssl.SSLContext:
    """What proves who answers. ActionError, a sentence, if the file cannot be used."""
    try:
        return ssl.create_default_context(cafile=None if ca_file is None else str(ca_file))
    except OSError as error:
        why = "not a certificate" if isinstance(error, ssl.SSLError) else error.strerror
        raise ActionError(f"{ca_file}: the authority's certificate cannot be used: {why}.") from error


def post(url: str, body: bytes, headers: Mapping[str, str], timeout_s: float, context: ssl.SSLContext | None) -> int:
    """The answer's status; nothing else of it is read, and no redirect followed. PostError if there is none in time."""
    parts = urlsplit(url)
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    host = parts.hostname or ""
    connection = (
        http.client.HTTPConnection(host, parts.port, timeout=timeout_s)
        if context is None
        else http.client.HTTPSConnection(host, parts.port, timeout=timeout_s, context=context)
    )
    # A socket's own limit begins again with each byte.
    cut = threading.Event()
    over = threading.Timer(timeout_s, _cut, (connection, cut))
    over.daemon = True
    over.start()
    try:
        connection.request("POST", path, body, dict(headers))
        return connection.getresponse().status
    except TimeoutError as error:
        raise PostError(f"no answer within {timeout_s:.1f} s") from error
    except (OSError, http.client.HTTPException) as error:
        why = f"no answer within {timeout_s:.1f} s" if cut.is_set() else _said(error)
        raise PostError(why) from error
    finally:
        over.cancel()
        connection.close()


def _cut(connection: http.client.HTTPConnection, cut: threading.Event) -> None:
    cut.set()
    held = connection.sock
    if held is not None:
        with suppress(OSError):
            # That of TLS would take away what the other thread reads from.
            socket.socket.shutdown(held, socket.SHUT_RDWR)


def _said(error: Exception) -> str:
    """What a library calls it, in a few words."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"it cannot prove who it is ({error.verify_message})"
    if isinstance(error, http.client.HTTPException):
        return "its answer is not HTTP"
    return getattr(error, "strerror", None) or type(error).__name__

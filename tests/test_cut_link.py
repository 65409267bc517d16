"""The link that is cut: what is still open when it ends ends with it."""

import gc
import socket
from collections.abc import Iterator

import pytest

from benchmarks.cut_link import Link, linked
from benchmarks.victims import free_port

WAIT_S = 10.0


@pytest.fixture
def service() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        listening.settimeout(WAIT_S)
        yield listening


def port_of(listening: socket.socket) -> int:
    return int(listening.getsockname()[1])


def connected(port: int, service: socket.socket) -> tuple[socket.socket, socket.socket]:
    """Both ends of a connection through the link."""
    ours = socket.create_connection(("127.0.0.1", port), WAIT_S)
    theirs, _ = service.accept()
    theirs.settimeout(WAIT_S)
    return ours, theirs


def is_broken_off(end: socket.socket) -> bool:
    try:
        return end.recv(1) == b""
    except ConnectionResetError:
        return True


def test_what_is_open_when_the_link_ends_breaks_off_and_leaves_nothing_behind(
    service: socket.socket, caplog: pytest.LogCaptureFixture
) -> None:
    port = free_port("127.0.0.1")
    with linked(f"127.0.0.1:{port_of(service)}", port):
        ours, theirs = connected(port, service)
        ours.sendall(b"a")
        assert theirs.recv(1) == b"a"
    with ours, theirs:
        assert is_broken_off(ours)
        assert is_broken_off(theirs)
        gc.collect()
    assert caplog.text == ""


def test_a_link_that_was_cut_lets_nobody_in_until_it_is_mended(service: socket.socket) -> None:
    port = free_port("127.0.0.1")
    with linked(f"127.0.0.1:{port_of(service)}", port) as do:
        ours, theirs = connected(port, service)
        do(Link.cut)
        with ours, theirs, socket.create_connection(("127.0.0.1", port), WAIT_S) as refused:
            assert is_broken_off(ours)
            assert is_broken_off(theirs)
            assert is_broken_off(refused)
        do(Link.mend)
        ours, theirs = connected(port, service)
        with ours, theirs:
            theirs.sendall(b"b")
            assert ours.recv(1) == b"b"

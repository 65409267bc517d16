"""Strangers at the port who speak HTTP/2, or next to nothing: each is let go, and the service answers the others."""

import asyncio
import resource
import struct
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from typing import Any

import grpc
import pytest

from cloud import port_options
from cloud.port_options import FILES_KEPT, room_for

WAIT_S = 30.0
PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
SETTINGS, PING = 4, 6


def frame(kind: int, payload: bytes = b"") -> bytes:
    return struct.pack(">I", len(payload))[1:] + bytes([kind, 0]) + struct.pack(">I", 0) + payload


def play(scene: "Coroutine[Any, Any, None]") -> None:
    asyncio.run(asyncio.wait_for(scene, WAIT_S))


@asynccontextmanager
async def port(**quicker: int) -> AsyncIterator[int]:
    """A server with our options, some of them quicker; says back what it is told."""

    async def echo(request: bytes, context: Any) -> bytes:
        return request

    options = dict(port_options.port_options(connections_max=20))
    for name, value in quicker.items():
        assert value < options[f"grpc.{name}"]
        options[f"grpc.{name}"] = value
    server = grpc.aio.server(options=tuple(options.items()))
    echoing = {"Echo": grpc.unary_unary_rpc_method_handler(echo)}
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler("tests.Echo", echoing),))
    picked = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    try:
        yield picked
    finally:
        await server.stop(0)


async def answers(at: int, **call: Any) -> grpc.StatusCode:
    """OK, or why not."""
    options = (("grpc.use_local_subchannel_pool", 1),)
    async with grpc.aio.insecure_channel(f"127.0.0.1:{at}", options=options) as channel:
        try:
            await channel.unary_unary("/tests.Echo/Echo")(b"", timeout=WAIT_S, **call)
        except grpc.aio.AioRpcError as error:
            return error.code()
    return grpc.StatusCode.OK


async def read_to_the_end(reader: asyncio.StreamReader) -> None:
    try:
        while await reader.read(1 << 16):
            pass
    except ConnectionError:
        return


@pytest.mark.parametrize("said", [b"", PREFACE[:10], PREFACE, b"GET / HTTP/1.1\r\n\r\n"])
def test_who_connects_and_does_not_go_on_is_let_go(said: bytes) -> None:
    async def scene() -> None:
        async with port(server_handshake_timeout_ms=300) as at:
            reader, writer = await asyncio.open_connection("127.0.0.1", at)
            writer.write(said)
            await read_to_the_end(reader)
            writer.close()
            assert await answers(at) is grpc.StatusCode.OK

    play(scene())


def test_who_vanished_is_noticed_also_where_its_bytes_are_taken() -> None:
    async def scene() -> None:
        quicker = {"keepalive_time_ms": 300, "keepalive_timeout_ms": 300, "http2.ping_timeout_ms": 300}
        async with port(**quicker) as at:
            reader, writer = await asyncio.open_connection("127.0.0.1", at)
            writer.write(PREFACE + frame(SETTINGS))
            await read_to_the_end(reader)
            writer.close()

    play(scene())


def test_a_flood_of_pings_ends_the_connection() -> None:
    async def scene() -> None:
        async with port() as at:
            reader, writer = await asyncio.open_connection("127.0.0.1", at)
            writer.write(PREFACE + frame(SETTINGS) + 40 * frame(PING, bytes(8)))
            await read_to_the_end(reader)
            writer.close()
            assert await answers(at) is grpc.StatusCode.OK

    play(scene())


@pytest.mark.parametrize(
    ("size", "code"),
    [(4000, grpc.StatusCode.OK), (20_000, grpc.StatusCode.RESOURCE_EXHAUSTED)],
)
def test_large_headers_are_refused(size: int, code: grpc.StatusCode) -> None:
    async def scene() -> None:
        async with port() as at:
            assert await answers(at, metadata=(("stranger", "x" * size),)) is code
            assert await answers(at) is grpc.StatusCode.OK

    play(scene())


def test_more_connections_than_allowed_are_not_served_and_cost_nothing_once_they_are_gone() -> None:
    async def scene() -> None:
        async with port() as at:
            opened = [await asyncio.open_connection("127.0.0.1", at) for _ in range(40)]
            for _, writer in opened:
                writer.write(PREFACE + frame(SETTINGS))
            greeted = [asyncio.create_task(reader.read(1)) for reader, _ in opened]
            while sum(task.done() for task in greeted) < 20:
                await asyncio.wait([task for task in greeted if not task.done()], return_when=asyncio.FIRST_COMPLETED)
            _, waiting = await asyncio.wait(greeted, timeout=0.2)
            refused = [task for task in greeted if task.done() and not (not task.exception() and task.result())]
            assert len(waiting) + len(refused) == 20
            for task in waiting:
                task.cancel()
            for _, writer in opened:
                writer.close()
            # When they are gone is the kernel's business.
            assert await answers(at, wait_for_ready=True) is grpc.StatusCode.OK

    play(scene())


def test_connections_leave_files_for_the_rest(monkeypatch: pytest.MonkeyPatch) -> None:
    limits = [(1024, 2048)]
    monkeypatch.setattr(resource, "getrlimit", lambda which: limits[-1])
    monkeypatch.setattr(resource, "setrlimit", lambda which, new: limits.append(new))
    assert room_for(500) == 500
    assert limits == [(1024, 2048)]
    assert room_for(10_000) == 2048 - FILES_KEPT
    assert limits[-1] == (2048, 2048)


def test_a_service_that_may_not_open_more_files_has_fewer_connections(monkeypatch: pytest.MonkeyPatch) -> None:
    def forbidden(which: int, new: tuple[int, int]) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(resource, "getrlimit", lambda which: (1024, 2048))
    monkeypatch.setattr(resource, "setrlimit", forbidden)
    assert room_for(4096) == 1024 - FILES_KEPT

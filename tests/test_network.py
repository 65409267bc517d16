"""The board's network thread: what dies in it is missed."""

import asyncio
import socket
from collections.abc import Callable
from typing import Any

import pytest

from edge.asking.answer import Answer
from edge.asking.cloud_channel import CallFailed, Channel, Trouble
from edge.asking.cloud_client import CloudClient
from edge.asking.network import Network
from edge.settings import Cloud
from tests.edge_fakes import utterance

WAIT_S = 20


def dies() -> None:
    raise ZeroDivisionError("on purpose")


def begins(network: Network) -> None:
    async def work() -> None:
        dies()

    network.begin(work())


def ends(network: Network) -> None:
    async def work() -> None:
        pass

    network.begin(work(), then=dies)


@pytest.mark.parametrize(
    "die",
    [
        lambda network: network.soon(dies),
        lambda network: network.soon(lambda: network.at(0.0, dies)),
        lambda network: network.soon(begins, network),
        lambda network: network.soon(ends, network),
    ],
    ids=["soon", "at", "begin", "then"],
)
def test_whatever_dies_in_it_is_its_death(die: Callable[[Network], None]) -> None:
    with Network() as network:
        assert network.alive
        die(network)
        for _ in range(3):
            network.run(asyncio.sleep(0)).result(WAIT_S)
        assert not network.alive
        assert isinstance(network.error, ZeroDivisionError)


def test_an_utterance_that_is_given_up_before_it_began_is_settled_all_the_same() -> None:
    outcomes: list[Answer | Any] = []
    with CloudClient(Cloud(address="127.0.0.1:9"), device_id="kitchen") as cloud:

        async def begin_and_cancel() -> None:
            stream = cloud.start(utterance(0)[0], on_settled=outcomes.append)  # type: ignore[arg-type]
            stream.cancel()

        cloud.network.run(begin_and_cancel()).result(WAIT_S)
        for _ in range(3):
            cloud.network.run(asyncio.sleep(0)).result(WAIT_S)
    assert [type(outcome).__name__ for outcome in outcomes] == ["GivenUp"]


def test_a_fault_of_whoever_hears_an_outcome_is_the_threads_death() -> None:
    def hear(outcome: object) -> None:
        dies()

    with CloudClient(Cloud(address="127.0.0.1:9"), device_id="kitchen") as cloud:

        async def begin_and_cancel() -> None:
            cloud.start(utterance(0)[0], on_settled=hear).cancel()  # type: ignore[arg-type]

        cloud.network.run(begin_and_cancel()).result(WAIT_S)
        for _ in range(3):
            cloud.network.run(asyncio.sleep(0)).result(WAIT_S)
        assert not cloud.network.alive


def test_a_channel_that_is_closed_under_somebody_s_hands_is_a_service_that_is_away() -> None:
    async def run(address: str) -> None:
        channel = Channel(address)
        connecting = asyncio.create_task(channel.connect(WAIT_S))
        await asyncio.sleep(0)
        await channel.close()
        with pytest.raises(CallFailed, match="has just turned to another address or key") as connected:
            await connecting
        assert connected.value.trouble is Trouble.AWAY
        with pytest.raises(CallFailed, match="has just turned"):
            await channel.describe(1.0)

    # Takes connections, and never says anything.
    with socket.create_server(("127.0.0.1", 0)) as mute:
        asyncio.run(run(f"127.0.0.1:{mute.getsockname()[1]}"))

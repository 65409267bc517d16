"""Brings the services what they are owed at once, for a command that waits; its daemon may do the same meanwhile."""

import asyncio
from collections.abc import Awaitable, Callable

from edge.asking.chain import Chain, Keeper
from edge.asking.chain_stream import Member
from edge.asking.cloud_channel import CallFailed
from edge.spool import courier
from edge.spool.erasure import Erasure
from edge.spool.store import SpoolStore

ASK_S_MAX = 10.0


def bring(store: SpoolStore, chain: Chain) -> tuple[int, str | None]:
    """How many utterances they forgot, and why one has not been told all; None: all were."""
    return _each(chain, lambda member: _bring(store, member))


def bring_erasure(erasure: Erasure, chain: Chain) -> tuple[int, str | None]:
    """The same of an erasure that no spool has put down."""
    return _each(chain, lambda member: member.service.forget(erasure))


def _each(chain: Chain, tell: Callable[[Member[Keeper]], Awaitable[int]]) -> tuple[int, str | None]:
    forgotten, why_not = 0, None
    with chain:
        for member in chain.keepers:
            erased, cause = chain.network.run(_told(member, tell)).result()
            forgotten, why_not = forgotten + erased, why_not or cause
    return forgotten, why_not


async def _told(member: Member[Keeper], tell: Callable[[Member[Keeper]], Awaitable[int]]) -> tuple[int, str | None]:
    try:
        async with asyncio.timeout(ASK_S_MAX):
            return await tell(member), None
    except CallFailed as error:
        return 0, str(error)
    except TimeoutError:
        return 0, f"{member.service.address}: no answer within {ASK_S_MAX:g} s."


async def _bring(store: SpoolStore, member: Member[Keeper]) -> int:
    forgotten = 0
    for number, owed in store.debts.owed(member.path):
        forgotten += await courier.bring(member.service, owed)
        courier.settle(store, member.path, number, owed)
    return forgotten

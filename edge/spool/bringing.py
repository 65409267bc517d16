"""Brings the services what they are owed at once, for a command that waits; its daemon may do the same meanwhile."""

import asyncio

from edge.asking.chain import Chain, Keeper
from edge.asking.chain_stream import Member
from edge.asking.cloud_channel import CallFailed
from edge.spool import courier
from edge.spool.store import SpoolStore

ASK_S_MAX = 10.0


def bring(store: SpoolStore, chain: Chain) -> tuple[int, str | None]:
    """How many utterances they forgot, and why one has not been told all; None: all were."""
    forgotten, why_not = 0, None
    with chain:
        for member in chain.keepers:
            erased, cause = chain.network.run(_bring(store, member)).result()
            forgotten, why_not = forgotten + erased, why_not or cause
    return forgotten, why_not


async def _bring(store: SpoolStore, member: Member[Keeper]) -> tuple[int, str | None]:
    forgotten = 0
    try:
        async with asyncio.timeout(ASK_S_MAX):
            for number, owed in store.debts.owed(member.path):
                forgotten += await courier.bring(member.service, owed)
                courier.settle(store, member.path, number, owed)
    except CallFailed as error:
        return forgotten, str(error)
    except TimeoutError:
        return forgotten, f"{member.service.address}: no answer within {ASK_S_MAX:g} s."
    return forgotten, None

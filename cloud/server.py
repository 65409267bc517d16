"""The running service: engines warm, port open, health told, and all of it ended in order."""

import asyncio
import logging
import math
import signal
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, suppress

import grpc
import msgspec
import sdnotify
from grpc_health.v1 import health, health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection

from cloud.beside import beside
from cloud.changing.offers import Offers
from cloud.changing.running import Changing, served_settings
from cloud.claims import OwnClaims
from cloud.decoders import languages
from cloud.decoders.weights import usable
from cloud.fetching import Fetching
from cloud.finding.served_domain import ServedDomain
from cloud.groups import Groups
from cloud.keys.closed import Closed
from cloud.log.answer_log import FILE_NAME, Features, SqliteAnswerLog
from cloud.log.answer_store import DATABASE_ERRORS
from cloud.onlookers import looked_at, watched_drift
from cloud.own_services import GarbageRefused
from cloud.places import places
from cloud.port_options import port_options, room_for
from cloud.recognition import Recogniser
from cloud.service import SERVICE_NAME, SpeechService
from cloud.settings import CloudSettings
from cloud.twins import KEPT, Twins
from cloud.watchdog import watched
from cloud.watching import Watching
from cloud.workers.machine import sphinx_workers, streams_max, whisper_workers
from cloud.workers.pool import Pool
from cloud.workers.worker import WorkerOptions
from common.addresses import Address, parse_address
from common.errors import DomainError, EngineError, SettingsError
from common.supervision import Supervision

logger = logging.getLogger(__name__)

STOP_S_MAX = 12.0
"""How long utterances in work may take to finish after SIGTERM; the rest of 15 s is for ending the workers."""

WORKER_NICE, PARTIALS_NICE = 2, 7
"""Workers step back for the service, so that refusals come at once, and engines with the partials for that with the
finals."""


async def serve(settings: CloudSettings) -> None:
    """Serves until SIGTERM or SIGINT. SettingsError, DomainError or EngineError if it cannot start."""
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopping.set)
    supervision = Supervision(sdnotify.SystemdNotifier())
    async with running(settings, supervision) as address:
        print(f"ready on {address}", file=sys.stderr, flush=True)
        supervision.ready()
        await stopping.wait()
        supervision.stopping()
        logger.info("stopping: utterances in work are finished")


@asynccontextmanager
async def running(settings: CloudSettings, supervision: Supervision) -> AsyncIterator[str]:
    """A service that answers; yields its HOST:PORT."""
    listen = parse_address(settings.server.listen, called="server.listen", port_min=0)
    languages.check(settings)
    groups = Groups(settings.boards.groups)
    closed = Closed(settings, listen)
    if settings.boards.groups and not closed.services:
        logger.warning(
            "boards.groups without certificates: whoever has an account on this machine may say that it is one of "
            "these boards, and is told what all of them are answered; to close the service: parrotlet-cloud pki init"
        )
    own_settings, settings = settings, served_settings(settings)
    async with AsyncExitStack() as stack:
        log = stack.enter_context(_open_log(settings))
        await stack.enter_async_context(log.kept_up())
        domains = _open_domains(settings, stack)
        pools = await _open_pools(settings, domains, stack)
        await stack.enter_async_context(watched(pools, supervision))
        await stack.enter_async_context(beside(*[served.follow for served in domains.values()]))
        recogniser = Recogniser(pools, answer_s_max=settings.decoding.answer_s_max)
        changing = await stack.enter_async_context(Changing(own_settings, recogniser, domains))
        offers = stack.enter_context(Offers(settings.storage))
        await stack.enter_async_context(beside(changing.follow, changing.shadow.run, offers.follow))
        boards = places(settings, streams_max=streams_max(settings))
        spoken = settings.decoding.languages
        onlookers = await stack.enter_async_context(
            looked_at(settings, own_settings, pools, log, boards, changing.shadow.counts)
        )
        watching = Watching(groups, log, idle_s_max=settings.server.idle_s_max)
        fetching = Fetching(offers, idle_s_max=settings.server.idle_s_max)
        claims = OwnClaims(changing.told(log), await _known_twins(groups, log), watching.logged)
        service = SpeechService(
            settings.server,
            recogniser,
            domains,
            claims,
            boards,
            spoken,
            watching=watching,
            changing=changing,
            fetching=fetching,
            onlookers=onlookers,
        )
        await stack.enter_async_context(watched_drift(settings, groups, domains))
        options = port_options(room_for(settings.server.connections_max))
        server = grpc.aio.server(options=options, interceptors=[closed.callers, GarbageRefused()])
        server.add_generic_rpc_handlers((service.handler(), *closed.handlers()))
        alive = health.aio.HealthServicer()  # type: ignore[attr-defined]  # grpc-stubs does not know it.
        health_pb2_grpc.add_HealthServicer_to_server(alive, server)
        if settings.server.reflection:
            names = (SERVICE_NAME, *closed.services, health.SERVICE_NAME, reflection.SERVICE_NAME)
            reflection.enable_server_reflection(names, server)
        address = _listen(server, listen, closed)
        await server.start()
        for name in ("", SERVICE_NAME):
            await alive.set(name, health_pb2.HealthCheckResponse.SERVING)
        await stack.enter_async_context(closed.running(address.port))
        try:
            yield str(address)
        finally:
            await alive.enter_graceful_shutdown()
            # They end by nothing else.
            watching.close()
            fetching.close()
            await server.stop(STOP_S_MAX)
            await service.close()


def _open_log(settings: CloudSettings) -> SqliteAnswerLog:
    kept = settings.storage
    features = Features(kept.features_share, kept.features_days_max, kept.features_megabytes_max)
    return SqliteAnswerLog(kept.state_dir / FILE_NAME, kept.answers_max, kept.answers_days_max, features)


async def _known_twins(groups: Groups, log: SqliteAnswerLog) -> Twins:
    """With what the boards of each group were answered before the start, as far as the log can be read."""
    twins = Twins(groups)
    for group in groups:
        with suppress(*DATABASE_ERRORS):
            twins.remember(await log.newest_of(groups.members(group), KEPT))
    return twins


def _listen(server: grpc.aio.Server, listen: Address, closed: Closed) -> Address:
    """Opens the port; the address with the port that was picked. SettingsError if it cannot be had."""
    try:
        return Address(listen.host, closed.add_port(server, str(listen)))
    except RuntimeError as error:
        raise SettingsError(f"Cannot listen on {listen}: is the port in use, or not this machine's address?") from error


def _open_domains(settings: CloudSettings, stack: AsyncExitStack) -> dict[str, ServedDomain]:
    """Every domain, its index built where it is not there yet. DomainError if one is broken."""
    served: dict[str, ServedDomain] = {}
    for name in settings.domains.serve:
        one = stack.enter_context(ServedDomain(name, settings.storage))
        if one.name in served:
            raise DomainError(f"{one.folder}: there is another domain called {one.name}; rename its folder.")
        served[one.name] = one
        logger.info("domain %s: %d entries, version %s", one.name, one.now.entries, one.now.version)
    return served


async def _open_pools(
    settings: CloudSettings, domains: Mapping[str, ServedDomain], stack: AsyncExitStack
) -> list[Pool]:
    """pocketsphinx where English is spoken, further engines, and Whisper, last, where it is wanted and can be had.
    EngineError if none that knows the language can."""
    whisper = None
    try:
        # First: what pocketsphinx does at an end depends on whether it is alone.
        if settings.decoding.whisper:
            whisper = await _open_whisper(settings, domains, stack)
    except EngineError as error:
        if languages.by_whisper_alone(settings):
            raise
        logger.warning("serving by pocketsphinx alone. %s", error)
    pools = [] if whisper is None else [whisper]
    for module in reversed(settings.decoding.more_engines):
        try:
            pools.insert(
                0, await stack.enter_async_context(_queued(settings, WorkerOptions(module, bundles=_bundles(domains))))
            )
        except EngineError as error:
            logger.warning("serving without %s. %s", module, error)
    if not languages.by_whisper_alone(settings):
        pools.insert(0, await stack.enter_async_context(_sphinx(settings, domains, alone=whisper is None)))
    return pools


async def _open_whisper(settings: CloudSettings, domains: Mapping[str, ServedDomain], stack: AsyncExitStack) -> Pool:
    """On the device that is set; where that is not to be had, on the processor. EngineError if neither can be."""
    decoding = settings.decoding
    weights = str(usable(decoding.whisper_model, settings.storage.weights_dir))
    options = WorkerOptions(
        "whisper",
        weights=weights,
        bundles=_bundles(domains),
        device=decoding.whisper_device,
        compute_type=decoding.whisper_compute,
        threads=decoding.whisper_threads,
    )
    usual = msgspec.structs.replace(options, device="cpu", compute_type="int8")
    try:
        return await stack.enter_async_context(_queued(settings, options))
    except EngineError as error:
        if options == usual:
            raise
        logger.warning("Whisper goes on by the processor, as int8. %s", error)
        return await stack.enter_async_context(_queued(settings, usual))


def _sphinx(settings: CloudSettings, domains: Mapping[str, ServedDomain], *, alone: bool) -> Pool:
    workers = sphinx_workers(settings)
    return Pool(
        WorkerOptions(
            "pocketsphinx",
            bundles=_bundles(domains),
            alone=alone,
            nice=WORKER_NICE if alone else PARTIALS_NICE,
            decoders_max=math.ceil(streams_max(settings) / workers),
        ),
        size=workers,
        wedged_s=settings.decoding.wedged_s,
        streaming=True,
        waiting_max=streams_max(settings),
    )


def _bundles(domains: Mapping[str, ServedDomain]) -> tuple[str, ...]:
    return tuple(str(served.now.bundle_file) for served in domains.values())


def _queued(settings: CloudSettings, options: WorkerOptions) -> Pool:
    """An engine that takes one utterance at a time, whole."""
    return Pool(
        msgspec.structs.replace(options, nice=WORKER_NICE, languages=settings.decoding.languages),
        size=whisper_workers(settings),
        wedged_s=settings.decoding.wedged_s,
        streaming=False,
        waiting_max=settings.decoding.whisper_queue_max,
    )

"""Who looks at the running service where that is set: its ports for figures and for its operator, and who follows what
boards hear.

Nothing of it is loaded where it is not set.
"""

import logging
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial

from cloud.finding.served_domain import ServedDomain
from cloud.groups import Groups
from cloud.log.answer_log import FILE_NAME, SqliteAnswerLog
from cloud.places import Places
from cloud.settings import CloudSettings
from cloud.utterance import Onlooker
from cloud.workers.machine import streams_max
from cloud.workers.pool import Pool
from common.addresses import parse_address

logger = logging.getLogger(__name__)


@asynccontextmanager
async def looked_at(
    settings: CloudSettings,
    own_settings: CloudSettings,
    pools: Sequence[Pool],
    log: SqliteAnswerLog,
    places: Places,
    shadow: Mapping[str, int],
) -> AsyncIterator[Sequence[Onlooker]]:
    """Meanwhile the ports are open; who counts for them. SettingsError if one cannot be had.

    `own_settings`: without what candidates have changed. `shadow`: what became of what candidates were to hear."""
    if not settings.monitoring.listen and not settings.operating.listen:
        yield []
        return
    from cloud.metrics import Metrics

    def ailments() -> list[str]:
        return [sentence for pool in pools if (sentence := pool.ailment())]

    def why_not_ready() -> list[str]:
        return [f"No worker of {pool.name} is there." for pool in pools if not pool.pids]

    metrics = Metrics(pools, log, lambda: places.taken, shadow)
    async with AsyncExitStack() as stack:
        if settings.monitoring.listen:
            from cloud.monitoring import monitoring
            from cloud.web_port import web_port

            listen = parse_address(settings.monitoring.listen, called="monitoring.listen", port_min=0)
            port = web_port(monitoring(metrics, ailments, why_not_ready), listen, "monitoring.listen")
            logger.info("monitoring on %s", await stack.enter_async_context(port))
        if settings.operating.listen:
            from cloud.operating.load import ServiceLoad
            from cloud.operating.port import operating
            from cloud.operating.standing import StandingAlerts
            from cloud.operating.told import Desk

            load = ServiceLoad(pools, log, metrics, lambda: places.taken, streams_max(settings), ailments, shadow)
            page = operating(own_settings, load, drift=StandingAlerts(settings), labels=Desk(settings))
            logger.info("operator's page on %s", await stack.enter_async_context(page))
        yield [metrics]


@asynccontextmanager
async def watched_drift(
    settings: CloudSettings, groups: Groups, domains: Mapping[str, ServedDomain]
) -> AsyncIterator[None]:
    """Meanwhile what boards hear is compared with what they used to."""
    if not settings.drift.watch:
        yield
        return
    from cloud.alerts.alert_sinks import sinks_of
    from cloud.alerts.ringing import Ringing
    from cloud.drift.causes.spelling import said
    from cloud.drift.following import Following, followed
    from cloud.outcomes.outcome_following import LOOK_S, OutcomeFollowing

    def knows_word(word: str) -> bool:
        return any(served.now.knows_word(word) for served in domains.values())

    state_dir = settings.storage.state_dir
    log_file = state_dir / FILE_NAME
    ringing = Ringing(state_dir, sinks_of(settings.alerts), knows_word=knows_word)
    sound = partial(Following, log_file, state_dir, ringing, group_of=groups.of, knows_word=knows_word, pronounces=said)
    async with followed(sound), followed(partial(OutcomeFollowing, log_file, state_dir, ringing), LOOK_S):
        yield

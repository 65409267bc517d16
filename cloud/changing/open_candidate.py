"""A candidate in the running service: its engines and its domain, open for the shadow and for a canary's boards."""

from collections.abc import Sequence

from cloud.changing.replacing import Replacing
from cloud.changing.rollout import Rollout
from cloud.changing.shadow import Hearer
from cloud.changing.trial import Trial
from cloud.finding.served_domain import DomainVersion, ServedDomain
from cloud.recognition import Recogniser
from cloud.workers.pool import READY_S_MAX, RESTART_PAUSE_S_MAX, Pool
from common.errors import DomainError, EngineError, RolloutError

SHADOW_NICE = 19

WITHOUT_WORKERS_S_MAX = READY_S_MAX + RESTART_PAUSE_S_MAX
"""A candidate that is without workers for longer than it takes to start one is no candidate."""


class OpenCandidate:
    """Of one rollout. Must be closed."""

    def __init__(self, rollout: Rollout, replacing: Replacing, answer_s_max: float) -> None:
        self.rollout = rollout
        self.trial = Trial(rollout.number, rollout.rules)
        self.canary: Recogniser | None = None
        """Of a model that answers boards."""
        self.canary_pool: Pool | None = None
        self._without_workers_since_s: float | None = None
        """Monotonic; None: it has some."""
        self._domain: ServedDomain | None = None
        self._shadow: Recogniser | None = None
        self._replacing = replacing
        self._answer_s_max = answer_s_max

    @property
    def is_model(self) -> bool:
        return self.rollout.subject.kind == "model"

    async def follow(self, rollout: Rollout) -> None:
        """As the rollout is now: what it takes is opened. RolloutError, a sentence, where it cannot be used here."""
        self.rollout = rollout
        try:
            if not self.is_model and self._domain is None:
                self._domain = await self._replacing.domain(rollout.candidate)
            if self._shadow is None:
                self._shadow = Recogniser(await self._open_shadow_pools(), answer_s_max=self._answer_s_max)
            if self.is_model and rollout.state == "canary" and self.canary is None:
                live = self._replacing.pools
                self.canary_pool = await self._replacing.open(live[-1], weights=self._weights())
                self.canary = Recogniser([*live[:-1], self.canary_pool], answer_s_max=self._answer_s_max)
        except (EngineError, DomainError) as error:
            raise RolloutError(str(error)) from error

    @property
    def may_answer(self) -> bool:
        """Whether it is there for a canary's boards: not before it is open, nor while none of its workers lives."""
        pool = self.canary_pool
        is_there = self._domain is not None or (pool is not None and bool(pool.pids))
        return self.rollout.state == "canary" and is_there

    def ailment(self, now_s: float) -> str | None:
        """Why nobody can go on with it, a sentence, at that time (monotonic)."""
        canary_pools = [] if self.canary_pool is None else [self.canary_pool]
        dead = [pool.name for pool in (*self._shadow_pools, *canary_pools) if not pool.pids]
        if not dead:
            self._without_workers_since_s = None
        elif self._without_workers_since_s is None:
            self._without_workers_since_s = now_s
        elif now_s - self._without_workers_since_s > WITHOUT_WORKERS_S_MAX:
            return f"No worker of {dead[0]} has lived for {WITHOUT_WORKERS_S_MAX:.0f} s."
        return None

    def concerns(self, domain: str) -> bool:
        """Whether an utterance said to a domain is any of its business."""
        return self.is_model or self.rollout.subject.name == domain

    def domain(self, served: DomainVersion) -> DomainVersion:
        """The candidate's, in the place of one that serves; that one where the candidate is a model."""
        return served if self._domain is None else self._domain.now

    def hearer(self, served: DomainVersion) -> Hearer | None:
        """Who hears in the shadow what was said to a domain; None: nobody yet."""
        return None if self._shadow is None else Hearer(self._shadow, self.domain(served))

    def close(self, *, is_promoted: bool) -> None:
        """Nobody begins with it any more; what was promoted serves on. Never waits."""
        for pool in self._shadow_pools:
            self._replacing.close(pool)
        if self.canary_pool is not None and not is_promoted:
            self._replacing.close(self.canary_pool)
        self._shadow = self.canary = None

    @property
    def _shadow_pools(self) -> Sequence[Pool]:
        return [] if self._shadow is None else self._shadow.pools

    async def _open_shadow_pools(self) -> list[Pool]:
        live: Sequence[Pool] = self._replacing.pools
        if self._domain is not None:
            changes: list[dict[str, object]] = [{"bundles": (str(self._domain.now.bundle_file),)}] * len(live)
        else:
            changes = [{}] * (len(live) - 1) + [{"weights": self._weights()}]
        opened: list[Pool] = []
        try:
            for pool, changed in zip(live, changes, strict=True):
                opened.append(await self._replacing.open(pool, size=1, nice=SHADOW_NICE, **changed))
        except EngineError:
            for pool in opened:
                self._replacing.close(pool)
            raise
        return opened

    def _weights(self) -> str:
        if self._replacing.weights_served is None:
            raise EngineError("Whisper does not run here, so that no other weights of it can be tried.")
        return self._replacing.weights(self.rollout.candidate)

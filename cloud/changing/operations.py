"""What an owner may do with candidates, whether the service runs or not; it notices within seconds."""

import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import msgspec

from cloud.building.build import build_bundle
from cloud.building.domain import load_domain
from cloud.building.folder import find_folder
from cloud.building.unused import clean
from cloud.changing.copied_domain import copied
from cloud.changing.gate import Rules, Verdict
from cloud.changing.needed import NEVER
from cloud.changing.rollout import COPIES, WHISPER, Kind, Rollout, Serving, Step, Subject, called
from cloud.changing.rollout_store import FILE_NAME, RolloutStore
from cloud.changing.shadow_store import FILE_NAME as SHADOW_FILE_NAME
from cloud.changing.shadow_store import ShadowStore
from cloud.changing.trial import Trial
from cloud.decoders.weights import usable
from cloud.finding.index import build
from cloud.log.answer_store import DATABASE_ERRORS
from cloud.settings import CloudSettings
from cloud.typist import typist
from common.errors import RolloutError

DAY_US = 86_400_000_000
RATED_US_MIN = DAY_US // 24
"""What comes since less than that has no rate yet."""

WHISPER_SUBJECT = Subject("model", WHISPER)


class Tried(msgspec.Struct, frozen=True):
    """A candidate, and what its gate says now."""

    rollout: Rollout
    verdict: Verdict
    needed: int | None
    """Utterances more, in all slices, to be 90 % sure to see a difference that was asked about; None: more than anybody
    waits for."""
    days: float | None
    """At the rate of the last day; None: too little came for that."""


class Told(msgspec.Struct, frozen=True):
    """A subject: what serves, and what is tried."""

    subject: Subject
    own: str
    """What the settings say."""
    serving: Serving | None
    """None: that."""
    tried: Tried | None


class Operations:
    """On one service's files."""

    def __init__(self, settings: CloudSettings, who: str | None = None) -> None:
        """`who` goes into the history; else the user who types."""
        self._settings = settings
        self._who = who or typist()

    def subjects(self, kind: Kind) -> dict[Subject, str]:
        """What may be another, and what the settings say it is. DomainError."""
        if kind == "model":
            return {WHISPER_SUBJECT: self._settings.decoding.whisper_model}
        return {Subject(kind, find_folder(entry).name): entry for entry in self._settings.domains.serve}

    def begin_model(self, name: str, share: float, why: str, rules: Rules, *, automatic: bool) -> Rollout:
        """Weights go into the shadow, or with a share before so many of the boards. EngineError, RolloutError."""
        if not self._settings.decoding.whisper:
            raise RolloutError(
                "The settings turn Whisper off (decoding.whisper), so that no weights of it can be tried."
            )
        usable(name, self._settings.storage.weights_dir)
        return self._begin(WHISPER_SUBJECT, name, name, share, why, rules, automatic=automatic)

    def begin_domain(self, folder: str, share: float, why: str, rules: Rules, *, automatic: bool) -> Rollout:
        """A copy of a domain's folder goes into the shadow, or before boards. DomainError, RolloutError."""
        domain = load_domain(folder)
        subject = Subject("domain", domain.name)
        storage = self._settings.storage
        self._check(subject, f"{domain.folder}: ", " The folder must be named like one of them.")
        with self._store() as store:
            serves = store.serving(subject)
        if serves is None and load_domain(self.subjects("domain")[subject]).version == domain.version:
            raise RolloutError(
                f"{domain.folder}: this version, {domain.version}, serves already, as the settings say. Edit a copy of "
                "the folder, and try that."
            )
        copies = storage.state_dir / COPIES
        copy = load_domain(str(copied(domain, copies)))
        # Here, so that the service need not.
        build_bundle(copy, storage.bundle_dir)
        build(copy, storage.index_dir)
        rollout = self._begin(subject, str(copy.folder), copy.version, share, why, rules, automatic=automatic)
        with self._store() as store:
            needed = [*store.needed("domain"), *self._settings.domains.serve]
        clean(copies, {Path(one).parent.name for one in needed}, time.time())
        return rollout

    def canary(self, subject: Subject, share: float, why: str, *, automatic: bool) -> Rollout:
        """The candidate in the shadow answers a share of the boards. RolloutError."""
        with self._store() as store:
            figures = self._verdict(self._active(store, subject)).figures
            return store.canary(subject, share, who=self._who, why=why, automatic=automatic, figures=figures)

    def promote(self, subject: Subject, why: str, *, anyway: bool) -> Rollout:
        """The candidate serves from now on; `anyway`: whatever its gate says. RolloutError."""
        with self._store() as store:
            active = self._active(store, subject)
            verdict = self._verdict(active)
            is_let_through = verdict.decision == "promote"
            if not is_let_through and not anyway:
                raise RolloutError(
                    f"The gate does not let {called(active.candidate)} through. {verdict.why} To promote it all the "
                    "same: --anyway"
                )
            return store.promote(
                subject,
                who=self._who,
                why=why,
                figures=verdict.figures,
                number=active.number,
                anyway=not is_let_through,
            )

    def rollback(self, subject: Subject, why: str) -> Step:
        """Takes back the last step. RolloutError."""
        with self._store() as store:
            active = store.active(subject)
            if active is None and store.serving(subject) is None:
                self._check(subject)
            figures = () if active is None else self._verdict(active).figures
            return store.rollback(subject, who=self._who, why=why, figures=figures)

    def candidate(self, subject: Subject) -> str | None:
        """What is being tried; None: nothing is. RolloutError."""
        with self._store() as store:
            active = store.active(subject)
        return None if active is None else active.candidate

    def told(self, kind: Kind, see: float) -> list[Told]:
        """All that there is to tell; `see` is a difference of errors that somebody wants to see. RolloutError."""
        with self._store() as store:
            return [
                Told(
                    subject,
                    own,
                    store.serving(subject),
                    None if (active := store.active(subject)) is None else self._tried(active, see),
                )
                for subject, own in self.subjects(kind).items()
            ]

    def history(self, kind: Kind, name: str | None = None) -> list[Step]:
        """What was changed, the oldest first. RolloutError, also where there is nothing of that name."""
        with self._store() as store:
            steps = store.history(kind, name)
        if not steps and name is not None:
            self._check(Subject(kind, name))
        return steps

    def _begin(
        self, subject: Subject, candidate: str, version: str, share: float, why: str, rules: Rules, *, automatic: bool
    ) -> Rollout:
        with self._store() as store:
            serving = store.serving(subject)
            if serving is None and candidate == self.subjects(subject.kind)[subject]:
                raise RolloutError(f"{candidate} serves already.")
            return store.begin(
                subject, candidate, version, who=self._who, why=why, share=share, automatic=automatic, rules=rules
            )

    def _active(self, store: RolloutStore, subject: Subject) -> Rollout:
        if (active := store.active(subject)) is None:
            self._check(subject)
            raise RolloutError(
                f"No candidate for {subject} is being tried. First: parrotlet-cloud {subject.kind}s shadow"
            )
        return active

    def _check(self, subject: Subject, where: str = "", then: str = "") -> None:
        """RolloutError if nobody serves that."""
        known = self.subjects(subject.kind)
        if subject not in known:
            names = ", ".join(one.name for one in known)
            raise RolloutError(
                f"{where or 'There is '}no {subject.kind} called {subject.name}; these are served: {names}.{then}"
            )

    def _verdict(self, rollout: Rollout) -> Verdict:
        with self._shadow() as store:
            return Trial(rollout.number, rollout.rules).read(store).verdict(rollout.state)

    def _tried(self, rollout: Rollout, see: float) -> Tried:
        with self._shadow() as store:
            trial = Trial(rollout.number, rollout.rules).read(store)
            now_us = time.time_ns() // 1000
            settled, since_us = store.settled_since(rollout.number, now_us - DAY_US, by_both=trial.canary is None)
        needed = (trial.canary or trial.shadow).needed(see)
        is_seen = needed < NEVER
        took_us = 0 if since_us is None else now_us - since_us
        a_day = settled * DAY_US / took_us if took_us >= RATED_US_MIN else 0
        return Tried(
            rollout,
            trial.verdict(rollout.state),
            needed if is_seen else None,
            needed / a_day if a_day and is_seen else None,
        )

    @contextmanager
    def _store(self) -> Iterator[RolloutStore]:
        with closing(RolloutStore(self._settings.storage.state_dir / FILE_NAME)) as store:
            yield store

    @contextmanager
    def _shadow(self) -> Iterator[ShadowStore]:
        file = self._settings.storage.state_dir / SHADOW_FILE_NAME
        try:
            with closing(ShadowStore(file)) as store:
                yield store
        except DATABASE_ERRORS as error:
            raise RolloutError(f"{file}: cannot be used ({error}); try sudo.") from error

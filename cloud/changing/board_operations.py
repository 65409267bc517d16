"""What an owner may do with models for boards, whether the service runs or not; it notices within seconds.

The way of such a model is that of any candidate (rollout.py): "canary" is offered to a share of the boards, "promoted"
to all of them, "returned" is taken back. Whether it is any good each board finds out by itself.
"""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import msgspec

from cloud.changing import board_folders
from cloud.changing.rollout import Rollout, Serving, Step, Subject
from cloud.changing.rollout_store import RolloutStore
from cloud.settings import CloudSettings
from cloud.typist import typist
from common.errors import RolloutError

FILE_NAME = "board-models.db"
"""Apart from what the service itself runs, which its own process follows."""


class Offered(msgspec.Struct, frozen=True):
    """What boards are offered under one name."""

    name: str
    for_all: Serving | None
    for_some: Rollout | None


class BoardOperations:
    """On one service's files."""

    def __init__(self, settings: CloudSettings, who: str | None = None) -> None:
        """`who` goes into the history; else the user who types."""
        self._storage = settings.storage
        self._who = who or typist()

    def offer(self, folder: Path, share: float, why: str) -> Rollout:
        """A copy of a model's folder is offered to a share of the boards; 1: to all. What is offered so already stays
        as it is, whoever was killed before they were told. RolloutError."""
        package = board_folders.read(folder)
        if (kind := package.card.kind) != "commands":
            raise RolloutError(f"{folder}: this is a model for {kind}; boards take models for commands alone.")
        subject = Subject("board", package.card.name)
        with self._store() as store:
            where = board_folders.keep(package, self._storage.board_models_dir)
            serving, tried = store.serving(subject), store.active(subject)
            if share == 1 and serving is not None and (serving.what, serving.version) == (where, package.sha256):
                return store.numbered(serving.rollout)
            some = share if share < 1 else 0.0
            if tried is None or (tried.candidate, tried.version, tried.share) != (where, package.sha256, some):
                if tried is not None:
                    raise RolloutError(
                        f"{tried.candidate} is being tried already, by {tried.share:.0%} of the boards: widen or "
                        "withdraw it first."
                    )
                tried = store.begin(subject, where, package.sha256, who=self._who, why=why, share=some)
            return tried if share < 1 else store.promote(subject, who=self._who, why=why, figures=())

    def widen(self, name: str, share: float, why: str) -> Rollout:
        """What is offered to some boards is offered to a larger share; 1: to all. RolloutError."""
        subject = Subject("board", name)
        with self._store() as store:
            active = store.active(subject)
            if active is None:
                if (serving := store.serving(subject)) is not None:
                    raise RolloutError(f"{serving.what} is offered to all boards already.")
                raise self._unknown(store, name)
            if share < active.share:
                raise RolloutError(
                    f"{active.candidate} is offered to {active.share:.0%} of the boards already; for fewer, withdraw "
                    "it and offer it again."
                )
            if share < 1:
                return store.canary(subject, share, who=self._who, why=why, figures=())
            return store.promote(subject, who=self._who, why=why, figures=())

    def withdraw(self, name: str, why: str) -> Step:
        """Takes back the last step: the offer to some boards, else that to all. RolloutError."""
        subject = Subject("board", name)
        with self._store() as store:
            if store.active(subject) is None and store.serving(subject) is None:
                raise self._unknown(store, name)
            return store.rollback(subject, who=self._who, why=why)

    def offered(self) -> list[Offered]:
        """All that is offered now, by name. RolloutError."""
        with self._store() as store:
            active = {one.subject: one for one in store.all_active()}
            serving = store.all_serving()
        subjects = sorted(active.keys() | serving.keys())
        return [Offered(subject.name, serving.get(subject), active.get(subject)) for subject in subjects]

    def history(self, name: str | None = None) -> list[Step]:
        """What was changed, the oldest first. RolloutError, also where nothing of that name ever was."""
        with self._store() as store:
            steps = store.history("board", name)
            if name is not None and not steps:
                raise self._unknown(store, name)
            return steps

    def _unknown(self, store: RolloutStore, name: str) -> RolloutError:
        offered = sorted({one.subject.name for one in store.all_active()} | {one.name for one in store.all_serving()})
        return RolloutError(f"Boards are offered no model called {name}; they are: {', '.join(offered) or 'none'}.")

    @contextmanager
    def _store(self) -> Iterator[RolloutStore]:
        with closing(RolloutStore(self._storage.state_dir / FILE_NAME)) as store:
            yield store

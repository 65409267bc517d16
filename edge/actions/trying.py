"""Does an action at somebody's word, here and now, and tells what came of it: it waits in no queue and is in no log."""

from collections.abc import Iterator
from typing import NamedTuple

from common.errors import ActionError
from edge.actions.acting import Sinks
from edge.actions.action import Action
from edge.settings import EdgeSettings


class Tried(NamedTuple):
    """What a sink made of it."""

    sink: str
    done: bool
    sentence: str


class Trying:
    """A context manager. SettingsError, a sentence, if what is set cannot be."""

    def __init__(self, settings: EdgeSettings, *, dry_run: bool) -> None:
        self._sinks = Sinks(settings)
        self._dry_run = dry_run or settings.actions.dry_run
        self._left_s = settings.actions.age_s_max

    def __enter__(self) -> "Trying":
        if not self._dry_run:
            self._sinks.__enter__()
        return self

    def __exit__(self, *cause: object) -> None:
        if not self._dry_run:
            self._sinks.__exit__(*cause)

    def run(self, action: Action) -> Iterator[Tried]:
        """One for each sink that wants it."""
        for sink in self._sinks.all:
            if not sink.wants(action.name):
                continue
            try:
                if self._dry_run:
                    yield Tried(sink.name, done=True, sentence=f"would {sink.preview(action)}")
                else:
                    sink.run(action, self._left_s)
                    yield Tried(sink.name, done=True, sentence="done")
            except ActionError as error:
                yield Tried(sink.name, done=False, sentence=str(error))

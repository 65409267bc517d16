"""All that acts on a board, made of its settings: the sinks, the broker, and the runner before them."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any, NamedTuple, Self

from common.addresses import parse_address
from common.errors import SettingsError
from common.settings import Loaded
from edge import directories
from edge.actions.action import BOARD, BROKER, Sink
from edge.actions.action_log import FILE_NAME, ActionLog
from edge.actions.runner import Runner
from edge.clock import boot_id
from edge.device_id import device_id
from edge.settings import EdgeSettings
from edge.settings import Program as ProgramSettings
from edge.settings import Webhook as WebhookSettings
from edge.spool.event import Event
from edge.worker import Worker

if TYPE_CHECKING:
    from edge.actions.broker import Broker


class Told(NamedTuple):
    """What a broker is told of a board, and lets be done there."""

    status: Callable[[bool], Mapping[str, Any]]
    """How it is, with the spool or without; see Board.status."""
    commands: Mapping[str, Callable[[], object]]
    """`mute` and `unmute`."""


class Acting:
    """A context manager. Where nothing is set it has no thread, no file and no connection."""

    def __init__(self, loaded: Loaded[EdgeSettings], told: Told, own: Sequence[Sink] = ()) -> None:
        """`own` sinks are the board's. SettingsError, a sentence, if it is set in a way that cannot be."""
        settings = loaded.settings
        self._sinks = Sinks(settings, told, own)
        self._runner = Runner(
            self._sinks.all,
            ActionLog(directories.hoped_for(loaded, directories.STATE) / FILE_NAME),
            device_id=device_id(settings.device.id),
            age_s_max=settings.actions.age_s_max,
            days_max=settings.spool.days_max,
            boot_id=boot_id(),
            dry_run=settings.actions.dry_run,
        )
        self._entered = ExitStack()

    def __enter__(self) -> Self:
        """Only where no other daemon has the same state."""
        self._entered.enter_context(self._sinks)
        self._entered.enter_context(self._runner)
        return self

    def __exit__(self, *cause: object) -> None:
        self._entered.close()

    @property
    def workers(self) -> list[Worker]:
        """Threads that are missed when they die."""
        broker = self._sinks.broker
        return self._runner.workers + ([broker.worker] if broker else [])

    def take(self, event: Event) -> None:
        """What came of an utterance. Never waits."""
        self._runner.take(event)

    def status(self) -> dict[str, Any]:
        """How it is; see Board.status."""
        broker = self._sinks.broker
        return self._runner.status() | {"broker": broker and {"down": broker.down}}


class Sinks:
    """Those that are set, as a context manager; leaving it ends what they are at."""

    def __init__(self, settings: EdgeSettings, told: Told | None = None, own: Sequence[Sink] = ()) -> None:
        """Without `told` nothing is told of the board. SettingsError, a sentence, if they cannot be so."""
        check(settings)
        self.broker: Broker | None = None
        self._ending: list[Callable[[], None]] = []
        self.all: list[Sink] = [*own]
        # What is not set is not even loaded.
        if settings.actions.programs:
            self._add_programs(settings.actions.programs)
        if settings.actions.webhooks:
            self._add_webhooks(settings.actions.webhooks)
        if settings.mqtt.address:
            self._add_broker(settings, told)

    def __enter__(self) -> Self:
        if self.broker is not None:
            self.broker.__enter__()
        return self

    def __exit__(self, *cause: object) -> None:
        for end in self._ending:
            end()
        if self.broker is not None:
            self.broker.__exit__(*cause)

    def _add_programs(self, programs: Sequence[ProgramSettings]) -> None:
        from edge.actions.program import Program

        for sink in map(Program, programs):
            self.all.append(sink)
            self._ending.append(sink.close)

    def _add_webhooks(self, webhooks: Sequence[WebhookSettings]) -> None:
        from edge.actions.webhook import Webhook

        for sink in map(Webhook, webhooks):
            self.all.append(sink)
            self._ending.append(sink.close)

    def _add_broker(self, settings: EdgeSettings, told: Told | None) -> None:
        from edge.actions.broker import Broker
        from edge.actions.mqtt import BoardAtBroker, Mqtt

        name = device_id(settings.device.id)
        guest = BoardAtBroker(settings.mqtt, name, told.status, told.commands) if told else None
        # A name that connects twice has its first connection ended by the broker.
        self.broker = Broker(settings.mqtt, f"parrotlet-{name}" if told else "", guest)
        self.all.append(Mqtt(settings.mqtt, self.broker, name))


def check(settings: EdgeSettings) -> None:
    """SettingsError, a sentence, if what is set cannot be."""
    webhooks, programs = settings.actions.webhooks, settings.actions.programs
    names = [BOARD, BROKER, *(one.name for one in webhooks), *(one.name for one in programs)]
    if twice := {name for name in names if names.count(name) > 1}:
        raise SettingsError(
            f"actions: {twice.pop()} is the name of two; each has its own, and {BOARD} and {BROKER} are taken."
        )
    if webhooks:
        from common.post import check_url

        for webhook in webhooks:
            check_url(webhook.url)
    if programs:
        from edge.actions.program import check_command

        for program in programs:
            check_command(program)
    if settings.mqtt.address:
        parse_address(settings.mqtt.address, called="mqtt.address", port_min=1)

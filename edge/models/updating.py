"""Keeps the board's own model up to date: asks what is offered, fetches it, tries it, promotes it or sends it back.

Runs in the network's thread beside all that a person waits for, and only while nobody speaks; the disk's work is done
in a thread of its own, and models are tried in processes of their own.
"""

import asyncio
import logging
import random
from collections.abc import AsyncGenerator, Callable, Iterator
from contextlib import AbstractContextManager, aclosing, contextmanager
from pathlib import Path
from typing import NamedTuple, Protocol

from common.errors import ModelError
from edge.asking.cloud_channel import CallFailed, Trouble
from edge.asking.link import Link
from edge.asking.recogniser import Listener
from edge.models import self_test, trial
from edge.models.listening import DiedError, NobodyError, listen
from edge.models.state import Held, State
from edge.models.store import Offer, Store, UnfitError
from edge.models.tap import Tap
from edge.models.trial import Said
from edge.models.utterances import HeardOf, Utterance, Utterances
from protos import speech_pb2
from protos.feature_spec import FeatureSpec
from protos.model_card import CARD_FILE, ModelCard, ModelCardError, read_model_card
from protos.model_package import PACKAGE_BYTES_MAX
from protos.name import NAME

logger = logging.getLogger(__name__)

LOOK_S = 5.0
"""How often it is looked whether there is anything to do."""
ASK_S = 900.0
"""How often the service is asked what it offers; half as long or one and a half times, so that boards do not come in
step."""
FIRST_ASK_S = 60.0
AGAIN_S = 60.0
"""Pause where the service has no room for who fetches, or went away meanwhile."""

HELD_MAX = 8
"""Utterances that wait in memory for a candidate to hear them; 24 kB each."""
TOGETHER = 4
"""So many are heard in one go: a process takes longer to start than to hear."""


class Offering(Protocol):
    """`CloudClient`."""

    async def described_anew(self) -> speech_pb2.DescribeResponse:
        """What it offers now. CallFailed."""

    def fetch_model(self, name: str, version: str, offset: int) -> AsyncGenerator[speech_pb2.ModelPiece, None]:
        """Of a model, from there on. CallFailed."""

    @property
    def is_quiet(self) -> bool:
        """Whether nobody speaks, or waits for an answer."""

    async def quiet(self) -> None:
        """Waits until it is."""


class Answering(Protocol):
    """`OwnModel`."""

    guard: Callable[[], AbstractContextManager[object]]

    def follow(self, folder: Path) -> None:
        """Answers by the model in that folder from now on."""


class Updating:
    """Of one model. `run` in the network's thread."""

    def __init__(
        self,
        open_store: Callable[[], Store],
        name: str,
        spec: FeatureSpec,
        service: Offering,
        link: Link,
        own: Answering,
    ) -> None:
        """`open_store` may wait for the disk."""
        self._open_store = open_store
        self._name = name
        self._spec = spec
        self._service = service
        self._link = link
        self._own = own
        self._store: Store | None = None
        self.state = State()
        """As it was when it was last looked at."""
        self._stamp: object = None
        self._folder: Path | None = None
        """Of the model that answers."""
        self._held: list[tuple[Utterance, Said]] = []
        self._ailing = ""

    def tap(self, listener: Listener) -> Tap | None:
        """Around an utterance, while a candidate is tried and wants to hear it. In any thread."""
        state = self.state
        wanted = state.candidate is not None and state.is_tested and not state.is_pinned
        return Tap(listener, self._hold) if wanted and len(self._held) < HELD_MAX else None

    async def run(self) -> None:
        """For ever."""
        loop = asyncio.get_running_loop()
        ask_at_s = loop.time() + FIRST_ASK_S * random.uniform(0.5, 1.5)
        while True:
            try:
                await self._look()
                if loop.time() >= ask_at_s and not self.state.is_pinned:
                    ask_at_s = loop.time() + ASK_S * random.uniform(0.5, 1.5)
                    await self._ask()
                await self._try()
                self._ailing = ""
            except CallFailed as error:
                if error.trouble is Trouble.AWAY:
                    self._link.failed(error)
                if error.trouble is not Trouble.OTHER_TERMS:
                    ask_at_s = loop.time() + AGAIN_S * random.uniform(0.5, 1.5)
            except ModelError as error:
                if self._ailing != str(error):
                    logger.warning("the board's model stays as it is: %s", error)
                self._ailing = str(error)
            await asyncio.sleep(LOOK_S)

    async def _look(self) -> None:
        """What its owner, or a death, has made of it."""
        if self._store is None:
            store = await asyncio.to_thread(self._open_store)
            self._follow(await asyncio.to_thread(store.begin), store)
            self._store = store
            self._own.guard = self._guard
        elif (stamp := self._store.stamp()) != self._stamp:
            self._stamp = stamp
            self._follow(await asyncio.to_thread(self._store.read), self._store)

    async def _ask(self) -> None:
        if self._link.down is not None:
            return
        said = await self._service.described_anew()
        if withdrawn := frozenset(said.withdrawn_board_models):
            await self._change(lambda state, at: state.withdrawn(withdrawn, at))
        for model in said.board_models:
            if (offer := offer_of(model, self._name, self._spec)) and self.state.wants(offer.held.sha256):
                await self._fetch(offer)

    async def _fetch(self, offer: Offer) -> None:
        store = self._opened
        if await asyncio.to_thread(store.is_here, offer.held):
            self._follow(await asyncio.to_thread(store.adopt, offer.held), store)
            return
        offset = await asyncio.to_thread(store.offset, offer)
        while offset < offer.bytes_count:
            await self._service.quiet()
            before = offset
            async with aclosing(self._service.fetch_model(offer.held.name, offer.held.version, offset)) as pieces:
                async for piece in pieces:
                    offset = await asyncio.to_thread(store.append, offer, piece.offset, piece.data)
                    if not self._service.is_quiet:
                        break
            if offset == before and self._service.is_quiet:
                raise ModelError(f"{offer.held}: the service sends nothing of it.")
        try:
            self._follow(await asyncio.to_thread(store.take, offer, self._spec), store)
            logger.info("fetched %s, which is tried before it answers", offer.held)
        except UnfitError:
            await self._change(lambda state, at: state.refuses_unseen(offer.held.sha256))
            raise

    async def _try(self) -> None:
        """The candidate: by clips at first, then by what people say."""
        if self.state.is_pinned or self.state.candidate is None:
            return
        if not self.state.is_tested:
            await self._test(self.state.candidate)
        elif len(self._held) >= TOGETHER and self._service.is_quiet:
            await self._judge(self.state.candidate)

    async def _test(self, candidate: Held) -> None:
        await self._service.quiet()
        pair = await self._both(candidate, Utterances(self._spec.levels))
        if pair is None:
            return
        found = self_test.faults(*pair)
        if found:
            why = " ".join(found)
            await self._change(lambda state, at: state.refuses(at, why) if state.candidate == candidate else state)
        else:
            why = f"It hears {len(pair.heard)} clips as it should."
            await self._change(lambda state, at: state.tested(at, why) if state.candidate == candidate else state)

    async def _judge(self, candidate: Held) -> None:
        held, self._held = self._held, []
        asked = Utterances(self._spec.levels, tuple(utterance for utterance, _ in held))
        pair = await self._both(candidate, asked)
        if pair is None:
            return
        commands = [*pair.card.commands.values(), *pair.card_before.commands.values()]
        done = self.state.trial
        for (_, said), heard, heard_before in zip(held, pair.heard, pair.heard_before, strict=True):
            done = done.after(
                is_command=any(said.means(command) for command in commands),
                agrees=trial.agrees(heard.label, pair.card, said, commands),
                agreed_before=trial.agrees(heard_before.label, pair.card_before, said, commands),
            )
            if done.decision != "wait":
                break

        def decide(state: State, at_unix_us: int) -> State:
            if state.candidate != candidate:
                return state
            state = state.tried(done)
            if done.decision == "promote":
                return state.promoted(at_unix_us, f"{done}.")
            return state.refuses(at_unix_us, f"Worse: {done}.") if done.decision == "refuse" else state

        await self._change(decide)

    async def _both(self, candidate: Held, asked: Utterances) -> "Pair | None":
        """What the candidate hears, and what the model hears that answers. None: the candidate could not, and is
        refused."""
        store, current = self._opened, self.state.current
        await self._change(lambda state, at: state.enters(candidate.sha256))
        try:
            heard = await listen(store.folder(candidate), asked)
            card = await asyncio.to_thread(_card, store.folder(candidate))
        except DiedError as error:
            logger.warning("a model that is tried: %s", error)
            await self._change(lambda state, at: state.died(at))
            return None
        except NobodyError:
            await self._change(lambda state, at: state.left())
            raise
        except ModelError as error:
            why = str(error)
            await self._change(lambda state, at: state.refuses(at, why) if state.candidate == candidate else state)
            return None
        await self._change(lambda state, at: state.left())
        before = store.folder(current)
        return Pair(card, heard, await asyncio.to_thread(_card, before), await listen(before, asked))

    def _hold(self, utterance: Utterance, said: Said) -> None:
        if len(self._held) < HELD_MAX:
            self._held.append((utterance, said))

    async def _change(self, do: Callable[[State, int], State]) -> None:
        store = self._opened
        self._follow(await asyncio.to_thread(store.change, do), store)

    def _follow(self, state: State, store: Store) -> None:
        """The state is that now."""
        if self._store is not None and state.history and state.history[-1:] != self.state.history[-1:]:
            line = state.history[-1]
            logger.info("the board's model: %s %s. %s", line.model, line.what, line.why)
        if state.candidate != self.state.candidate:
            self._held = []
        self.state = state
        if (folder := store.folder(state.current)) != self._folder:
            self._folder = folder
            self._own.follow(folder)

    @property
    def _opened(self) -> Store:
        assert self._store is not None
        return self._store

    @contextmanager
    def _guard(self) -> Iterator[None]:
        """Around each time that the daemon loads its model, in the thread that does: a version that was never heard to
        answer here must not take the daemon with it twice, and goes where it cannot be used."""
        store, state = self._opened, self.state
        current = state.current
        if current is None or state.proven == current.sha256:
            yield
            return
        with _though_the_disk_fails():
            store.change(lambda state, at: state.enters(current.sha256))
        try:
            yield
        except ModelError as error:
            why = str(error)
            with _though_the_disk_fails():
                after = store.change(lambda state, at: state.goes_back(at, why) if state.current == current else state)
                self._own.follow(store.folder(after.current))
            raise
        with _though_the_disk_fails():
            store.change(lambda state, at: state.left(proven=True))


@contextmanager
def _though_the_disk_fails() -> Iterator[None]:
    """Somebody waits for the answer."""
    try:
        yield
    except ModelError as error:
        logger.warning("%s", error)


class Pair(NamedTuple):
    """Two models, and what they heard; the candidate first."""

    card: ModelCard
    heard: list[HeardOf]
    card_before: ModelCard
    heard_before: list[HeardOf]


def offer_of(model: speech_pb2.BoardModel, name: str, spec: FeatureSpec) -> Offer | None:
    """What the service says of one; None where that is none for this board."""
    held = Held(model.name, model.version, model.sha256)
    is_safe = all(NAME.fullmatch(text) and not text.startswith(".") for text in (held.version, held.sha256))
    fits = model.kind == "commands" and model.feature_spec_fingerprint == spec.fingerprint
    if held.name != name or not is_safe or not fits or not 0 < model.bytes_count <= PACKAGE_BYTES_MAX:
        return None
    return Offer(held, model.bytes_count, model.card_bytes_count)


def _card(folder: Path) -> ModelCard:
    try:
        return read_model_card(folder / CARD_FILE)
    except ModelCardError as error:
        raise ModelError(f"{error}.") from error

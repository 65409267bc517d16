"""Turns a source of sound into utterances while they are spoken: gate, segmenter, frames, facts.

A generator over the source's blocks. An utterance's frames start at its own first sample, pre-roll first, whatever
was heard before it.
"""

import itertools
import logging
from collections.abc import Callable, Iterator, Sequence
from typing import Protocol

from common.errors import InputError, MicrophoneError
from edge import settings
from edge.session import Session, new_utterance_id
from edge.sound.source import BLOCK_MS, Block, Interruption, Samples, Source
from edge.speech.activation import Always
from edge.speech.gate_model import GateModel
from edge.speech.prosody import Voice
from edge.speech.segmenter import Endpoint, Event, GoesOn, Onset, SeemsOver, Segmenter, Spoken
from edge.speech.signal_meter import NoiseFloor, power_of
from edge.speech.turn import Completeness, HangOvers, Turn
from edge.speech.utterance import EndReason, Heard, SpeechGoesOn, SpeechSeemsOver, UtteranceHead
from edge.speech.utterance_maker import JudgedBlock, UtteranceMaker
from edge.speech.vad import Gate, JudgedGate
from protos.feature_spec import DEFAULT_SPEC, FeatureSpec

BLOCKS_PER_MESSAGE = 5
"""Frames go out every 100 ms: less is dear in CPU and on the wire, more is late."""

DEFAULT_SEGMENTER = settings.Segmenter()
ALWAYS = Always()

_log = logging.getLogger(__name__)


class Listening(Protocol):
    """Decides what may become part of an utterance; see edge/speech/activation.py."""

    def admit(self, block: JudgedBlock) -> Sequence[JudgedBlock]:
        """Asked with each block: what may become part of an utterance now, in order. Nothing ends what is running, as
        muted, and forgets the pre-roll."""

    def heard_onset(self) -> None:
        """An utterance has started."""

    def heard_end(self) -> None:
        """It is over, and none follows on."""

    def interrupted(self) -> None:
        """What comes next is another stretch of time."""


def hear(
    source: Source,
    *,
    gate: Gate | None = None,
    segmenter: settings.Segmenter = DEFAULT_SEGMENTER,
    spec: FeatureSpec = DEFAULT_SPEC,
    activation: Listening = ALWAYS,
    session: Session | None = None,
    turn: Turn | None = None,
    on_block: Callable[[Samples, bool], None] = lambda samples, is_speech: None,
    hears_itself: Callable[[], bool] = lambda: False,
    end_of_source_reason: EndReason = EndReason.END_OF_INPUT,
) -> Iterator[Heard]:
    """Utterances of a source: head, frames about every 100 ms, end; then perhaps the next.

    `turn` says whether the speaker is done, and so how long a pause ends the utterance. `on_block` is called with every
    block and the gate's judgement, also while nobody listens. While `hears_itself` says so nothing is speech, and
    neither the gate nor the noise floor learns from it. When the source ends, what is running ends with
    `end_of_source_reason`; InputError and MicrophoneError of the source go on up, after the end of what was running.
    """
    gate = gate or JudgedGate(GateModel())
    ears = _Ears(gate, segmenter, spec, activation, session or Session(), turn or Turn(), hears_itself)
    try:
        for item in source.blocks():
            if isinstance(item, Interruption):
                _log.info("%s: sound is interrupted (%s)", source.name, item.cause)
                yield from ears.interrupt(EndReason.MUTED if item.cause == "muted" else EndReason.SOURCE_LOST)
                continue
            judged = ears.judge(item)
            on_block(judged.samples, judged.is_speech)
            yield from ears.take(judged)
    except MicrophoneError:
        yield from ears.end(EndReason.SOURCE_LOST)
        raise
    except InputError:
        yield from ears.end(end_of_source_reason)
        raise
    yield from ears.end(end_of_source_reason)


class _Ears:
    """The state of hearing one source."""

    def __init__(
        self,
        gate: Gate,
        cut: settings.Segmenter,
        spec: FeatureSpec,
        activation: Listening,
        session: Session,
        turn: Turn,
        hears_itself: Callable[[], bool],
    ) -> None:
        self._hears_itself = hears_itself
        self._gate = gate
        self._hang_overs = HangOvers.within(cut)
        self._segmenter: Segmenter[JudgedBlock] = Segmenter(
            pre_roll_blocks=cut.pre_roll_ms // BLOCK_MS,
            onset_blocks=cut.onset_ms // BLOCK_MS,
            early_blocks=cut.early_ms // BLOCK_MS,
            hang_over_blocks=self._hang_overs.usual,
            hang_over_blocks_max=self._hang_overs.longest,
            utterance_blocks_max=cut.utterance_s_max * 1000 // BLOCK_MS,
        )
        self._turn = turn
        self._spec = spec
        self._activation = activation
        self._session = session
        self._noise = NoiseFloor()
        self._positions = itertools.count()
        self._running: UtteranceMaker | None = None
        self._last_id: str | None = None
        self._voice_before: tuple[int, Voice] | None = None

    def judge(self, block: Block) -> JudgedBlock:
        """Asks the gate. It and the noise floor go on learning while nobody listens; they keep no sound."""
        of_a_person = not self._hears_itself()
        is_speech = of_a_person and self._gate.is_speech(block.samples)
        power = power_of(block.samples)
        if of_a_person and not is_speech:
            self._noise.push(power)
        now_s = self._session.clock.monotonic_s()
        return JudgedBlock(block.samples, next(self._positions), now_s, block.overruns, power, is_speech)

    def take(self, block: JudgedBlock) -> Iterator[Heard]:
        """What the next block brings about."""
        admitted = self._activation.admit(block)
        if not admitted:
            yield from self.end(EndReason.MUTED)
        for one in admitted:
            self._mind_the_turn()
            yield from self._tell(self._segmenter.push(one, one.is_speech))

    def interrupt(self, reason: EndReason) -> Iterator[Heard]:
        """What comes next is another stretch of time."""
        yield from self.end(reason)
        self._activation.interrupted()
        self._gate.reset()
        self._noise = NoiseFloor()

    def end(self, reason: EndReason) -> Iterator[Heard]:
        """Ends what is running, if anything is, and forgets the pre-roll."""
        yield from self._tell(self._segmenter.flush(reason))

    def _mind_the_turn(self) -> None:
        """Waits as long in a pause as the words and the voice before it ask for."""
        end_block = self._segmenter.pause_speech_end_block
        if end_block is not None and self._last_id is not None:
            words = self._turn.opinion(self._last_id, end_block * BLOCK_MS)
            voice = self._voice(end_block) if words is Completeness.UNKNOWN else Voice.UNKNOWN
            self._segmenter.change_hang_over(self._hang_overs.after(words, voice))

    def _voice(self, end_block: int) -> Voice:
        """Before the pause that began there. Listened to once a pause, and not before it is long."""
        assert self._running is not None
        if not self._hang_overs.asks_voice(self._running.blocks_since(end_block)):
            return Voice.UNKNOWN
        if self._voice_before is None or self._voice_before[0] != end_block:
            self._voice_before = end_block, self._running.voice_before(end_block)
        return self._voice_before[1]

    def _tell(self, events: list[Event[JudgedBlock]]) -> Iterator[Heard]:
        for event in events:
            match event:
                case Onset(blocks, _, follows_on):
                    yield from self._begin(blocks, self._last_id if follows_on else None)
                case Spoken(block):
                    assert self._running is not None
                    self._running.add(block)
                    yield from self._running.frames(BLOCKS_PER_MESSAGE)
                case SeemsOver(end_block):
                    assert self._running is not None
                    yield from self._running.frames(1)
                    yield SpeechSeemsOver(end_block * BLOCK_MS)
                case GoesOn():
                    yield SpeechGoesOn()
                case Endpoint():
                    yield from self._finish(event)

    def _begin(self, blocks: tuple[JudgedBlock, ...], follows_id: str | None) -> Iterator[Heard]:
        self._activation.heard_onset()
        head = self._head(blocks[0], follows_id)
        self._last_id = head.utterance_id
        self._running = UtteranceMaker(self._spec)
        self._voice_before = None
        for block in blocks:
            self._running.add(block)
        yield head
        yield from self._running.frames(BLOCKS_PER_MESSAGE)

    def _finish(self, endpoint: Endpoint) -> Iterator[Heard]:
        utterance, self._running = self._running, None
        assert utterance is not None
        yield from utterance.frames(1)
        # Cut speech goes on at once: whoever pressed the button is still speaking.
        if endpoint.reason is not EndReason.MAX_LENGTH:
            self._activation.heard_end()
        yield utterance.end(endpoint, self._noise.power, self._session.clock.monotonic_s())

    def _head(self, first: JudgedBlock, follows_id: str | None) -> UtteranceHead:
        clock = self._session.clock
        started_s = first.at_s - BLOCK_MS / 1000
        started_at_unix_us = clock.unix_us() - round((clock.monotonic_s() - started_s) * 1e6)
        return UtteranceHead(
            utterance_id=new_utterance_id(started_at_unix_us),
            session_id=self._session.id,
            sequence_number=self._session.next_number(),
            follows_utterance_id=follows_id,
            started_at_unix_us=started_at_unix_us,
            clock_synchronised=clock.is_synchronised(),
            started_monotonic_s=started_s,
            stream_start_ms=first.position * BLOCK_MS,
            vad=self._gate.name,
            ear=self._session.ear,
        )

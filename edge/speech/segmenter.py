"""Cuts utterances out of a stream of judged blocks.

Pure: no gate, clock or sound in it; it counts blocks, of whatever type they are. Streaming starts at the onset,
so it tells events as they happen and not the finished utterance.

One stray block neither starts speech nor ends it: an onset takes several blocks of speech (a silent one takes one
back), the end takes a hang-over of silent ones, and within the hang-over one block of speech alone changes nothing.
The hang-over belongs to the utterance; the pre-roll reaches back to the utterance before at most. Early in the
hang-over it tells that speech seems over, so that others may get on with it; whoever then knows better how likely it is
that the speaker goes on may change the hang-over of that pause.

Speech that reaches the limit is cut, and what follows on starts with the very next block of speech. So that words stay
whole, the cut is made in a pause: in the last quarter of the limit a long one is waited for at first, and then a
shorter and shorter one. A silence is never cut, so that what follows on always holds speech; the limit has room for its
hang-over.
"""

from collections import deque
from enum import Enum, auto
from typing import Generic, NamedTuple, TypeVar

from edge.speech.utterance import EndReason

Item = TypeVar("Item")

RESUME_BLOCKS = 2
"""Speech in a row that ends a hang-over."""

PAUSE_BLOCKS = 15
"""Silence that is good enough to cut at where the last quarter of the limit begins; at the limit none is needed."""

SHORTEST_BLOCKS = 10
"""An input that ends during an onset holds an utterance of so many blocks, pre-roll included, or none."""


class State(Enum):
    """Where the segmenter is."""

    QUIET = auto()
    """Nobody speaks; blocks go to the pre-roll."""
    STARTING = auto()
    """Perhaps somebody has begun to speak; nothing has been told yet."""
    SPEAKING = auto()
    """An utterance is running, and its last block is speech."""
    STOPPING = auto()
    """An utterance is running, and the hang-over with it."""


class Onset(NamedTuple, Generic[Item]):
    """An utterance starts."""

    blocks: tuple[Item, ...]
    """The pre-roll and the blocks that started it; not told again as Spoken."""
    speech_start_block: int
    """The first block of speech, counted from the utterance's first block."""
    follows_on: bool
    """It was cut off the utterance before; there is no block between the two."""


class Spoken(NamedTuple, Generic[Item]):
    """The running utterance goes on."""

    block: Item


class SeemsOver(NamedTuple):
    """The earlier endpoint: a hang-over has begun that may well pass. Told once a hang-over."""

    speech_end_block: int
    """One after the last block of speech, counted from the utterance's first block."""


class GoesOn(NamedTuple):
    """Speech only seemed over."""


class Endpoint(NamedTuple):
    """The running utterance is over. Blocks are counted from its first one."""

    reason: EndReason
    speech_start_block: int
    speech_end_block: int
    """One after the last block of speech."""


Event = Onset[Item] | Spoken[Item] | SeemsOver | GoesOn | Endpoint


class Segmenter(Generic[Item]):
    """Takes one judged block after the other."""

    _state: State
    _score: int
    """Towards an onset: one up for speech, one down for silence."""
    _starting_blocks: int
    """Since the score left zero."""
    _length: int
    """Of the running utterance."""
    _silent: int
    """Blocks without speech in a row, but for strays."""
    _resumed: int
    """Blocks of speech in a row within the hang-over."""
    _seems_over: bool
    """Told of the running hang-over."""
    _hang_over_blocks: int
    """Of the running pause."""
    _speech_start_block: int
    _speech_end_block: int

    def __init__(
        self,
        *,
        pre_roll_blocks: int,
        onset_blocks: int,
        early_blocks: int,
        hang_over_blocks: int,
        hang_over_blocks_max: int,
        utterance_blocks_max: int,
    ) -> None:
        """`early_blocks` of silence, and speech seems over; `hang_over_blocks_max` is the longest that a hang-over may
        be made. ValueError where the limit has no room for pre-roll, onset and hang-over."""
        self._pre_roll_blocks = pre_roll_blocks
        self._onset_blocks = onset_blocks
        self._early_blocks = early_blocks
        self._usual_hang_over_blocks = hang_over_blocks
        self._hang_over_blocks_max = hang_over_blocks_max
        self._starting_blocks_max = 2 * onset_blocks
        self._cut_blocks = utterance_blocks_max - hang_over_blocks_max
        has_room = pre_roll_blocks + self._starting_blocks_max <= self._cut_blocks
        if not has_room or not 1 <= hang_over_blocks <= hang_over_blocks_max or min(onset_blocks, early_blocks) < 1:
            raise ValueError(f"an utterance of {utterance_blocks_max} blocks has no room for its parts")
        self._recent: deque[Item] = deque(maxlen=pre_roll_blocks + self._starting_blocks_max)
        self._rest()

    def push(self, block: Item, is_speech: bool) -> list[Event[Item]]:
        """What this block brings about."""
        match self._state, is_speech:
            case State.QUIET, False:
                self._recent.append(block)
                return []
            case State.QUIET | State.STARTING, True:
                self._await_onset(block, score=1)
                return [self._begin_from_recent()] if self._score >= self._onset_blocks else []
            case State.STARTING, False:
                self._await_onset(block, score=-1)
                return []
            case ((State.SPEAKING | State.STOPPING), True) if self._is_time_to_cut():
                return [self._end(EndReason.MAX_LENGTH), self._begin((block,), 0, follows_on=True)]
            case ((State.SPEAKING | State.STOPPING), True):
                return [Spoken(block), *self._hear_speech()]
            case _:
                return [Spoken(block), *self._hear_silence()]

    @property
    def pause_speech_end_block(self) -> int | None:
        """Where the speech ended that now seems over, as SeemsOver said; None while nothing seems so."""
        return self._speech_end_block if self._seems_over else None

    def change_hang_over(self, blocks: int) -> None:
        """Makes the running pause's hang-over shorter or longer; the next block obeys."""
        self._hang_over_blocks = min(blocks, self._hang_over_blocks_max)

    def flush(self, reason: EndReason) -> list[Event[Item]]:
        """No block follows on: ends what is running, and forgets the pre-roll.

        A word that the end of the input cut short is told if half of its onset was there.
        """
        events: list[Event[Item]] = []
        if self._state is State.STARTING and reason is EndReason.END_OF_INPUT and self._is_worth_telling():
            events.append(self._begin_from_recent())
        if self._state in (State.SPEAKING, State.STOPPING):
            events.append(self._end(reason))
        self._rest()
        return events

    def _hear_speech(self) -> list[Event[Item]]:
        """A block of speech in the running utterance."""
        self._length += 1
        self._resumed += 1
        goes_on = self._seems_over and self._resumed >= RESUME_BLOCKS
        if self._state is State.SPEAKING or self._resumed >= RESUME_BLOCKS:
            self._speak(self._length)
        return [GoesOn()] if goes_on else []

    def _hear_silence(self) -> list[Event[Item]]:
        """A block without speech in the running utterance."""
        self._length += 1
        self._state = State.STOPPING
        self._silent += 1
        self._resumed = 0
        if self._silent >= self._hang_over_blocks:
            return [self._end(EndReason.ENDPOINT)]
        if self._silent == self._early_blocks:
            self._seems_over = True
            return [SeemsOver(self._speech_end_block)]
        return []

    def _await_onset(self, block: Item, *, score: int) -> None:
        """Weighs a block of a possible onset. Two onsets long at most: older blocks slide into the pre-roll."""
        self._recent.append(block)
        self._score += score
        self._silent = 0 if score > 0 else self._silent + 1
        self._starting_blocks = min(self._starting_blocks + 1, self._starting_blocks_max)
        self._state = State.STARTING
        if not self._score:
            self._state = State.QUIET
            self._starting_blocks = 0

    def _is_worth_telling(self) -> bool:
        long_enough = min(len(self._recent), self._pre_roll_blocks + self._starting_blocks) >= SHORTEST_BLOCKS
        return long_enough and 2 * self._score >= self._onset_blocks

    def _is_time_to_cut(self) -> bool:
        left = 4 * (self._cut_blocks - self._length) / self._cut_blocks
        return left <= 1 and self._silent >= PAUSE_BLOCKS * left

    def _begin_from_recent(self) -> Onset[Item]:
        blocks = tuple(self._recent)[-(self._pre_roll_blocks + self._starting_blocks) :]
        return self._begin(blocks, len(blocks) - self._starting_blocks, follows_on=False)

    def _begin(self, blocks: tuple[Item, ...], speech_start_block: int, *, follows_on: bool) -> Onset[Item]:
        self._recent.clear()
        self._length = len(blocks)
        self._speech_start_block = speech_start_block
        self._speak(self._length - self._silent)
        return Onset(blocks, speech_start_block, follows_on)

    def _speak(self, speech_end_block: int) -> None:
        self._state = State.SPEAKING
        self._speech_end_block = speech_end_block
        self._silent = 0
        self._resumed = 0
        self._seems_over = False
        self._hang_over_blocks = self._usual_hang_over_blocks

    def _end(self, reason: EndReason) -> Endpoint:
        endpoint = Endpoint(reason, self._speech_start_block, self._speech_end_block)
        self._rest()
        return endpoint

    def _rest(self) -> None:
        self._state = State.QUIET
        self._recent.clear()
        self._starting_blocks = 0
        self._score = 0
        self._silent = 0
        self._resumed = 0
        self._seems_over = False
        self._hang_over_blocks = self._usual_hang_over_blocks
        self._length = 0
        self._speech_start_block = 0
        self._speech_end_block = 0

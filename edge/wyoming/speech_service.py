"""Speech to text for Wyoming clients, by whomever this board asks.

Nothing of it goes to the spool. Whoever spoke to a client is told by that client that there was no answer and says it
again; a transcript that comes later would be nobody's, and what is kept is to be found by `forget`, which asks the
daemon's spool alone.
"""

from collections.abc import Callable, Iterator, Mapping

import msgspec
from wyoming.event import Event

from common.errors import InputError
from common.settings import Loaded
from edge import settings
from edge.asking import wire
from edge.asking.chain import Chain
from edge.local.gate import open_gate
from edge.session import Session
from edge.settings import EdgeSettings
from edge.sound.source import Source
from edge.speech.hearing import hear
from edge.speech.turn import Turn
from edge.speech.utterance import Heard
from edge.wyoming.connections import Connection
from edge.wyoming.info import Describing
from edge.wyoming.speech_client import Desk, SpeechClient, Wanted
from edge.wyoming.transcription import Transcription

# Home Assistant's own pauses, in ms: the usual one, the shortest and the longest.
SENSITIVITIES: Mapping[str, tuple[int, int, int]] = {"relaxed": (1260, 700, 1500), "aggressive": (260, 260, 400)}

ANSWER_S_MORE = 10.0
"""Beyond what services have: the board's own model may have to be loaded."""


class SpeechService:
    """Serves connections; the chain must be entered."""

    def __init__(self, loaded: Loaded[EdgeSettings], chain: Chain) -> None:
        self._settings = loaded.settings
        self._chain = chain
        self._session = Session()
        self._describing = Describing(chain, self._settings.cloud.language)
        self._answer_s_max = self._settings.cloud.answer_s_max + self._settings.house.answer_s_max + ANSWER_S_MORE
        self._desk = Desk(self._begin, self._info, self._check, self._settings.wyoming.clients_max)

    async def serve(self, connection: Connection) -> None:
        """Until it ends. ConnectionError, or InputError for what is no event."""
        await SpeechClient(connection, self._desk, self._answer_s_max).serve()

    async def _info(self) -> Event:
        return (await self._describing.info()).event()

    async def _check(self, wanted: Wanted) -> None:
        """InputError, a sentence, if nobody here understands that language."""
        language = (wanted.language or "").partition("-")[0].partition("_")[0].lower()
        if not language:
            return
        known = await self._describing.languages()
        if known and language not in known:
            raise InputError(f"Nobody here understands {wanted.language!r}; there is {', '.join(known)}.")

    def _begin(self, wanted: Wanted, on_text: Callable[[str], None]) -> Transcription:
        cut = _cut(self._settings.segmenter, wanted.vad_sensitivity)

        def hear_by_settings(source: Source, turn: Turn) -> Iterator[Heard]:
            return hear(
                source,
                gate=open_gate(self._settings),
                segmenter=cut,
                spec=wire.feature_spec(self._settings.cloud),
                session=self._session,
                turn=turn,
            )

        return Transcription(self._chain, hear_by_settings, answer_s_max=self._answer_s_max, on_text=on_text)


def _cut(usual: settings.Segmenter, sensitivity: str | None) -> settings.Segmenter:
    """How long a pause ends a command, where the client says how it wants that."""
    asked = SENSITIVITIES.get(sensitivity or "")
    if asked is None:
        return usual
    hang_over_ms, shortest_ms, longest_ms = asked
    return msgspec.structs.replace(
        usual, hang_over_ms=hang_over_ms, hang_over_ms_min=shortest_ms, hang_over_ms_max=longest_ms
    )

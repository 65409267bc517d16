"""The answers' log, with the shadow's beside it: who forgets, forgets in both, and what people say is told to both."""

from cloud.changing.shadow import Shadow
from cloud.changing.shadow_log import ShadowLog
from cloud.log.answer_log import UNKNOWN, AnswerLog, Batch, Occasion
from cloud.log.answer_store import Key, Members, Span
from cloud.utterance import Utterance
from protos import speech_pb2


class ToldLog:
    """An AnswerLog."""

    def __init__(self, log: AnswerLog, shadow_log: ShadowLog, shadow: Shadow) -> None:
        self._log = log
        self._shadow_log = shadow_log
        self._shadow = shadow

    async def get(self, key: Key) -> speech_pb2.Final | None:
        return await self._log.get(key)

    async def put(
        self, key: Key, final: speech_pb2.Final, occasion: Occasion = UNKNOWN, utterance: Utterance | None = None
    ) -> speech_pb2.Final:
        return await self._log.put(key, final, occasion, utterance)

    async def agreed(self, key: Key, *, shadow_agrees: bool) -> None:
        await self._log.agreed(key, shadow_agrees=shadow_agrees)

    async def give(self, feedback: speech_pb2.FeedbackRequest) -> None:
        await self._log.give(feedback)
        await self._shadow_log.give(feedback)

    async def forget(self, device_id: str, utterance_id: str | None, span: Span) -> int:
        """What waits for the shadow is let go first, so that it is not written afterwards."""
        self._shadow.forget(device_id, utterance_id, span)
        await self._shadow_log.forget(device_id, utterance_id, span)
        return await self._log.forget(device_id, utterance_id, span)

    async def batch(self, members: Members, after: int, history: str | None) -> Batch:
        return await self._log.batch(members, after, history)

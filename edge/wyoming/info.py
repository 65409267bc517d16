"""What this board tells Wyoming clients of itself: whom it asks, and what they said they are."""

import asyncio
import logging
from collections.abc import Iterable, Sequence

from wyoming.audio import AudioFormat
from wyoming.info import (
    AsrModel,
    AsrProgram,
    Attribution,
    HandleModel,
    HandleProgram,
    Info,
    IntentModel,
    IntentProgram,
    MicProgram,
    Satellite,
    SndProgram,
    WakeModel,
    WakeProgram,
)

from common import VERSION
from common.plain_text import plain
from edge.asking.chain import Chain
from edge.sound.source import SAMPLE_RATE_HZ
from protos import speech_pb2

logger = logging.getLogger(__name__)

DESCRIBE_S_MAX = 0.7
"""Home Assistant waits a second for all of it."""

PROGRAM = "Parrotlet"
OURS = Attribution("Parrotlet", "")
MAKERS = {
    "whisper": Attribution("OpenAI", "https://github.com/openai/whisper"),
    "pocketsphinx": Attribution("CMU Sphinx", "https://github.com/cmusphinx/pocketsphinx"),
}
SPOKEN_HZ = 22_050
"""What is played may have any rate; this one is that of most voices."""
ASSUMED_LANGUAGE = "en"
"""Of the board's own models, and of a service that was never reached and whose language nobody set."""


def satellite_info(name: str, phrase: str | None, *, speaks: bool) -> Info:
    """What the board is as a satellite; `phrase` is the wake word that it listens for."""
    heard = AudioFormat(SAMPLE_RATE_HZ, 2, 1)
    return Info(
        wake=[
            WakeProgram(
                PROGRAM,
                OURS,
                True,
                "The board's own wake word",
                VERSION,
                [WakeModel(phrase, OURS, True, None, None, [ASSUMED_LANGUAGE], phrase)],
            )
        ]
        if phrase is not None
        else [],
        mic=[MicProgram("microphone", OURS, True, "What is spoken to the board", VERSION, heard)],
        snd=[SndProgram("loudspeaker", OURS, True, "Played by ALSA", VERSION, AudioFormat(SPOKEN_HZ, 2, 1))]
        if speaks
        else [],
        satellite=Satellite(
            name,
            OURS,
            True,
            "A board that hears when it is spoken to",
            VERSION,
            has_vad=True,
            active_wake_words=[phrase] if phrase is not None else [],
            max_active_wake_words=int(phrase is not None),
            supports_trigger=False,
        ),
    )


class Describing:
    """Knows what the services last said they are; they are asked again each time, for a moment."""

    def __init__(self, chain: Chain, language: str) -> None:
        """`language` is what the settings ask services for; empty: what they understand."""
        self._chain = chain
        self._language = language
        self._known: dict[str, speech_pb2.DescribeResponse] = {}
        """By address."""

    async def languages(self) -> Sequence[str]:
        """What may be spoken, first parts of BCP 47 tags; empty: nobody knows yet."""
        described = await self._described()
        return sorted({language for one in described for language in self._spoken(one)})

    async def info(self) -> Info:
        """The whole of it."""
        models = await self._models()
        languages = sorted({language for model in models for language in model.languages})
        return Info(
            asr=[
                AsrProgram(
                    PROGRAM,
                    OURS,
                    bool(models),
                    "Speech to text by a Parrotlet service, or by the board's own model while none answers",
                    VERSION,
                    models,
                    supports_transcript_streaming=True,
                    requires_external_vad=False,
                    # Quiet speech is raised where it is decoded, and what was filtered no model knows.
                    prefers_auto_gain_enabled=False,
                    prefers_noise_reduction_enabled=False,
                )
            ],
            intent=[
                IntentProgram(
                    PROGRAM,
                    OURS,
                    bool(models),
                    "What a service understood of speech that was transcribed here",
                    VERSION,
                    [IntentModel("domain", OURS, True, "Intents of the service's domain", VERSION, languages)],
                )
            ],
            handle=[
                HandleProgram(
                    PROGRAM,
                    OURS,
                    bool(models),
                    "What a service found for speech that was transcribed here",
                    VERSION,
                    [HandleModel("domain", OURS, True, "Answers of the service's domain", VERSION, languages)],
                )
            ],
        )

    async def _models(self) -> list[AsrModel]:
        models = [model for one in await self._described() for model in _models_of(one, self._spoken(one))]
        if not models and self._chain.keepers:
            assumed = self._language.partition("-")[0].lower() or ASSUMED_LANGUAGE
            models.append(AsrModel("service", OURS, True, "A service that was not reached yet", None, [assumed]))
        if own := self._chain.own_card:
            said = f"The board's own model, {len(own.commands)} commands"
            models.append(AsrModel(own.name, OURS, True, said, own.version, [ASSUMED_LANGUAGE]))
        return models

    def _spoken(self, one: speech_pb2.DescribeResponse) -> Iterable[str]:
        """Languages that will be understood: where the settings name one, it is that one."""
        wanted = self._language.partition("-")[0].lower()
        return [language for language in one.languages if not wanted or language == wanted]

    async def _described(self) -> list[speech_pb2.DescribeResponse]:
        """What is known of services, the best first."""
        clients = [member.service for member in self._chain.keepers]
        asked = [asyncio.wrap_future(self._chain.network.run(client.description())) for client in clients]
        if asked:
            await asyncio.wait(asked, timeout=DESCRIBE_S_MAX)
        for client, said in zip(clients, asked, strict=True):
            if not said.done():
                said.cancel()
            elif said.exception() is None:
                self._known[client.address] = said.result()
        return [self._known[client.address] for client in clients if client.address in self._known]


def _models_of(one: speech_pb2.DescribeResponse, languages: Iterable[str]) -> Iterable[AsrModel]:
    """What a service decodes with, the engine that is asked first at the head."""
    version = plain(one.service_version) or None
    for engine in one.engines:
        name, model = plain(engine.name), plain(engine.model)
        # Such as "en-us 5.1.1": the name and its version.
        called, _, number = model.partition(" ")
        about = f"{name} {model}, asked for by a Parrotlet service {version}"
        yield AsrModel(called or name, MAKERS.get(name, OURS), True, about, number or None, list(languages))

"""Puts down what this release leaves behind: python -m tests.releases.make, once, when it is released.

tests/releases/VERSION/
    spool.db        one utterance waits, one was set aside, one was answered
    answers.db      the service's log, with one answer
    requests.bin    an utterance as a board sends it, and
    responses.bin   what a service says to it; each message behind its length, four bytes, the highest first
"""

import asyncio
import sys
from collections.abc import Iterable
from pathlib import Path

from google.protobuf.message import Message

from cloud.log.answer_log import Key, SqliteAnswerLog
from common import VERSION
from edge.asking import wire
from edge.settings import Cloud
from edge.settings import Spool as Settings
from edge.sound.audio_file import AudioFile
from edge.speech.hearing import hear
from edge.speech.utterance import Heard, UtteranceEnd, UtteranceFrames, UtteranceHead
from edge.spool import kept_frames
from edge.spool.event import Kind
from edge.spool.spool import FILE_NAME, Spool
from edge.spool.store import Piece
from protos import codec, speech_pb2
from protos.feature_spec import ACCEPTED_SPECS, DEFAULT_SPEC
from tests.edge_fakes import ANSWER

HERE = Path(__file__).parent
SPOKEN = HERE.parent / "speech" / "timer.flac"
DEVICE = "kitchen"

FINAL = speech_pb2.Final(
    transcript="set a timer for ten minutes",
    results=[speech_pb2.SearchResult(id="timer-10", title="Timer for 10 minutes", score=3.5, action="timer.start")],
    engine=speech_pb2.Engine(name="pocketsphinx", model="en-us 5.1.1"),
)


def main() -> None:
    folder = HERE / VERSION
    folder.mkdir()
    heard = list(hear(AudioFile(str(SPOKEN))))
    write_spool(folder / FILE_NAME, heard)
    (folder / "spool.lock").unlink()
    with SqliteAnswerLog(folder / "answers.db") as log:
        asyncio.run(log.put(Key(DEVICE, "u-1"), FINAL))
    write_messages(folder / "requests.bin", requests(heard))
    description = speech_pb2.DescribeResponse(
        service_version=VERSION,
        feature_specs=[speech_pb2.FeatureSpec(fingerprint=name) for name in ACCEPTED_SPECS],
        codecs=codec.CODECS,
    )
    partial = speech_pb2.RecognizeResponse(partial=speech_pb2.Partial(revision=1, unstable_text="set a"))
    write_messages(folder / "responses.bin", [description, partial, speech_pb2.RecognizeResponse(final=FINAL)])
    print(f"{folder}: {sum(file.stat().st_size for file in folder.iterdir())} bytes", file=sys.stderr)


def write_spool(file: Path, heard: list[Heard]) -> None:
    coding = kept_frames.coding(DEFAULT_SPEC)
    with Spool(file, Settings(), boot_id="boot", coding=coding, hop_ms=DEFAULT_SPEC.frame_ms) as spool:
        for number in range(3):
            encoder = kept_frames.encoder(DEFAULT_SPEC)
            for event in heard:
                match event:
                    case UtteranceHead():
                        entry = spool.begin(event)
                    case UtteranceFrames():
                        data = encoder.encode(event.levels)
                        spool.append(entry, Piece(event.first_frame, len(event.levels), data))
                    case UtteranceEnd():
                        spool.finish(entry, event)
            if number == 1:
                spool.quarantine(entry, "refused")
                spool.tell(entry, Kind.REFUSED, sentence="refused")
            if number == 2:
                spool.tell(entry, Kind.FINAL, answer=ANSWER)
                spool.acknowledge(entry)


def requests(heard: list[Heard]) -> Iterable[speech_pb2.RecognizeRequest]:
    encoder = codec.encoder(codec.CODECS[0], DEFAULT_SPEC)
    for event in heard:
        match event:
            case UtteranceHead():
                config = wire.config(event, Cloud(), DEVICE, DEFAULT_SPEC, 1, codec.CODECS[0], replayed=False)
                yield speech_pb2.RecognizeRequest(config=config)
            case UtteranceEnd():
                yield speech_pb2.RecognizeRequest(end=wire.end(event))
            case _:
                yield wire.progress(event, lambda: encoder, codec.CODECS[0])


def write_messages(file: Path, messages: Iterable[Message]) -> None:
    packed = [message.SerializeToString() for message in messages]
    file.write_bytes(b"".join(len(data).to_bytes(4, "big") + data for data in packed))


def read_messages(file: Path) -> list[bytes]:
    data, messages = file.read_bytes(), []
    while data:
        size = int.from_bytes(data[:4], "big")
        messages.append(data[4 : 4 + size])
        data = data[4 + size :]
    return messages


if __name__ == "__main__":
    main()

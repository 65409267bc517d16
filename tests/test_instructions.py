"""The sounds that the board's cost is measured with are what they are said to be."""

from benchmarks import instructions
from edge.speech.signal_meter import dbfs
from protos import speech_pb2


def test_the_quiet_room_is_quiet_and_nothing_of_it_is_sent():
    noise = instructions.pink_noise()
    assert abs(dbfs(noise) - instructions.QUIET_DBFS) < 0.1
    assert instructions.stream(noise, speech_pb2.CODEC_DEFLATE).startswith("0 utterances, 0 frames")


def test_nearly_all_of_the_looped_sentence_is_streamed():
    spoken = instructions.looped(instructions.SPOKEN)
    frames = int(instructions.stream(spoken, speech_pb2.CODEC_RAW).split()[2])
    assert 950 <= frames <= 1000

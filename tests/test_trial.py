"""What `parrotlet-edge test` does with inputs, apart from sound and service."""

import json
import threading
import time
import wave
from collections.abc import Iterator
from pathlib import Path

import msgspec
import numpy as np
import pytest

from common.errors import CloudError, InputError, SettingsError
from edge.asking.exchange import Exchange
from edge.sound.source import Source
from edge.speech.utterance import Heard, UtteranceEnd, UtteranceHead
from edge.trial.trial import ANSWERED, IN_FLIGHT_MAX, REDRAW_S, UNANSWERED, UNUSABLE_INPUT, Input, Spoken, Trial
from edge.trial.trial_line import TrialLine, make_folder, save, trial_line
from tests.edge_fakes import ANSWER, FakeRecogniser, FakeSource, utterance


class Outcome:
    """Runs a trial in which source number n of the list has counts[n] utterances."""

    def __init__(
        self,
        counts: list[int],
        recogniser: FakeRecogniser | None = None,
        faults: dict[int, InputError] | None = None,
        realtime: bool = False,
    ) -> None:
        self.lines: list[TrialLine] = []
        self.samples: list[np.ndarray] = []
        self.complaints: list[str] = []
        self.drawn: list[Exchange] = []
        self.sources = [FakeSource(f"file{n}.wav", fault=(faults or {}).get(n)) for n in range(len(counts))]
        self._counts = {source.name: count for source, count in zip(self.sources, counts, strict=True)}
        trial = Trial(
            recogniser or FakeRecogniser(),
            self._hear,
            draw=self.drawn.append,
            show=self._show,
            complain=self.complaints.append,
            keep_samples=True,
        )
        self.status = trial.run([Input(source.name, source, realtime) for source in self.sources])

    def _hear(self, source: Source) -> Iterator[Heard]:
        for number in range(self._counts[source.name]):
            yield from utterance(number)
        yield from source.blocks()  # type: ignore[misc] # Nothing, or the fault.

    def _show(self, spoken: Spoken, line: TrialLine) -> None:
        self.lines.append(line)
        self.samples.append(np.concatenate(spoken.samples))


def test_every_utterance_gets_one_line_in_the_order_it_was_heard() -> None:
    outcome = Outcome([2, 0, 3])
    assert outcome.status == ANSWERED
    assert [(line.file, line.start_s) for line in outcome.lines] == [
        ("file0.wav", 0.0),
        ("file0.wav", 2.0),
        ("file2.wav", 0.0),
        ("file2.wav", 2.0),
        ("file2.wav", 4.0),
    ]
    assert [int(samples[0]) for samples in outcome.samples] == [0, 1, 0, 1, 2]


def test_silence_is_said_and_is_no_fault() -> None:
    outcome = Outcome([0])
    assert outcome.status == ANSWERED
    assert outcome.complaints == ["file0.wav: no speech found."]


def test_unusable_input_is_said_and_the_others_are_answered() -> None:
    outcome = Outcome([0, 1], faults={0: InputError("file0.wav: is empty (0 bytes).")})
    assert outcome.status == UNUSABLE_INPUT
    assert [line.path for line in outcome.lines] == ["cloud"]
    assert outcome.complaints == ["file0.wav: is empty (0 bytes)."]


def test_a_service_that_is_away_leaves_a_line_with_the_reason_and_is_said_once() -> None:
    outcome = Outcome([2], FakeRecogniser(CloudError("127.0.0.1:1: the service cannot be reached.")))
    assert outcome.status == UNANSWERED
    assert [(line.path, line.transcript, line.why_not_better) for line in outcome.lines] == [
        ("none", "", "127.0.0.1:1: the service cannot be reached.")
    ] * 2
    assert outcome.lines[0].timing_ms.endpoint_to_final is None
    assert outcome.complaints == [
        "127.0.0.1:1: the service cannot be reached.",
        "2 of 2 utterances were not answered.",
    ]


def test_unusable_input_weighs_more_than_an_unanswered_utterance() -> None:
    outcome = Outcome([1, 0], FakeRecogniser(CloudError("away")), faults={1: InputError("file1.wav: is a directory.")})
    assert outcome.status == UNUSABLE_INPUT


def test_files_never_have_more_than_a_few_utterances_under_way() -> None:
    recogniser = FakeRecogniser(at_once=False)
    outcomes: list[Outcome] = []
    trial = threading.Thread(target=lambda: outcomes.append(Outcome([8], recogniser)), daemon=True)
    trial.start()
    for settled in range(8):
        under_way_at_most = min(8, settled + IN_FLIGHT_MAX)
        until_s = time.monotonic() + 5
        while len(recogniser.streams) < under_way_at_most and time.monotonic() < until_s:
            trial.join(0.005)
        trial.join(0.005)
        assert len(recogniser.streams) == under_way_at_most
        recogniser.streams[settled].settle()
    trial.join(5)
    assert [len(outcome.lines) for outcome in outcomes] == [8]


def test_partials_are_drawn_while_an_answer_is_awaited() -> None:
    recogniser = FakeRecogniser(at_once=False)
    settler = threading.Timer(2.5 * REDRAW_S, lambda: recogniser.streams[0].settle())
    settler.start()
    outcome = Outcome([1], recogniser)
    settler.join(5)
    assert [exchange.partial and exchange.partial.text for exchange in outcome.drawn[-1:]] == ["set a time"]
    assert outcome.status == ANSWERED


def test_a_hearing_thread_that_dies_ends_the_trial_with_its_error() -> None:
    class Broken(Outcome):
        def _hear(self, source: Source) -> Iterator[Heard]:
            yield utterance(0)[0]
            raise RuntimeError("a fault of ours")

    with pytest.raises(RuntimeError, match="a fault of ours"):
        Broken([1])


def test_sources_are_closed_whatever_happens() -> None:
    assert all(source.closed for source in Outcome([1, 1]).sources)


def over(clock_s: float = 3.0) -> Exchange:
    head, frames, end = utterance(1)
    exchange = Exchange(FakeRecogniser(), head, clock=lambda: clock_s)  # type: ignore[arg-type]
    exchange.send(frames)  # type: ignore[arg-type]
    assert not exchange.over
    assert isinstance(end, UtteranceEnd)
    exchange.finish(end)
    assert exchange.over
    return exchange


def test_a_refusal_before_the_end_is_settled_only_when_the_end_is_known() -> None:
    head, _, end = utterance(1)
    recogniser = FakeRecogniser(CloudError("away"), at_once=False)
    told: list[Exchange] = []
    assert isinstance(head, UtteranceHead)
    assert isinstance(end, UtteranceEnd)
    exchange = Exchange(recogniser, head, on_over=told.append)
    recogniser.streams[0].settle()
    assert not exchange.over
    exchange.finish(end)
    assert exchange.over
    assert told == [exchange]


def test_times_are_measured_from_the_last_sound_and_the_endpoint() -> None:
    timing = trial_line("a.wav", over(), realtime=True).timing_ms
    assert (timing.last_sound_to_final, timing.endpoint_to_final, timing.onset_to_first_partial) == (2400, 2000, 2800)
    assert (timing.waiting, timing.decoding, timing.searching) == (1, 20, 3)


def test_the_onset_is_not_timed_in_sound_that_is_read_ahead() -> None:
    assert trial_line("a.wav", over(), realtime=False).timing_ms.onset_to_first_partial is None


def test_a_line_has_what_scripts_rely_on() -> None:
    line = json.loads(msgspec.json.encode(trial_line("as typed/../a.wav", over(), realtime=False)))
    promised = (
        "file utterance_id start_s end_s end_reason path transcript confidence alternatives results audio_s wire_bytes "
        "timing_ms"
    )
    assert set(promised.split()) <= set(line)
    assert line["file"] == "as typed/../a.wav"
    assert (line["start_s"], line["end_s"], line["audio_s"]) == (2.0, 3.0, 1.0)
    assert line["end_reason"] == "endpoint"
    assert line["wire_bytes"] == 98 * 80
    assert line["confidence"] == ANSWER.confidence
    assert line["alternatives"][0]["transcript"] == "set a time for ten minutes"
    assert line["results"][0]["action"] == "timer.start"
    assert line["noise_floor_dbfs"] is None


def test_an_utterance_is_saved_as_wav_and_json(tmp_path: Path) -> None:
    line = trial_line("a.wav", over(), realtime=False)
    make_folder(tmp_path / "new")
    save(tmp_path / "new", line, [np.arange(5, dtype=np.int16), np.arange(5, 8, dtype=np.int16)])
    with wave.open(str(tmp_path / "new" / "u1.wav"), "rb") as file:
        assert (file.getnchannels(), file.getsampwidth(), file.getframerate()) == (1, 2, 16000)
        assert np.array_equal(np.frombuffer(file.readframes(99), "<i2"), np.arange(8))
    assert json.loads((tmp_path / "new" / "u1.json").read_text())["transcript"] == ANSWER.transcript


def test_a_place_that_cannot_be_saved_to_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(SettingsError, match="--save .*file"):
        make_folder(tmp_path / "file")
    with pytest.raises(SettingsError, match="--save .*gone"):
        save(tmp_path / "gone", trial_line("a.wav", over(), realtime=False), [])


def test_a_name_that_is_no_text_is_still_a_line_of_json() -> None:
    line = trial_line("bad\udcff.wav", over(), realtime=False)
    assert json.loads(msgspec.json.encode(line))["file"] == "bad\ufffd.wav"

"""Phones without a board: each has what was said into it, and nothing of others."""

import asyncio
import gc
import json
import struct
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from websockets.exceptions import ConnectionClosed, ConnectionClosedOK

from common.errors import DaemonError, ParrotletError
from common.settings import Loaded, load
from edge.page import story
from edge.page.page import Page
from edge.page.visitors import Visitors
from edge.phones.invitations import Invitations
from edge.phones.phones import Phones
from edge.phones.shown_certificate import page_directory
from edge.settings import EdgeSettings
from edge.sound.audio_file import AudioFile
from edge.sound.source import Block
from edge.speech.hearing import hear
from edge.speech.utterance import EndReason, Heard
from edge.spool.erasure import Erasure
from edge.spool.forgetting import forget
from edge.spool.kept_list import opened
from edge.spool.store import State
from tests.conftest import Speech
from tests.page_phone import PATIENCE_S, Phone, messages


def settings(directory: Path, **more: Any) -> Loaded[EdgeSettings]:
    options = {
        "device.id": "desk",
        "device.state_dir": str(directory),
        # Nobody is there.
        "cloud.address": "127.0.0.1:9",
        "cloud.reach_s_max": 0.0,
        "page.listen": "127.0.0.1:0",
        "page.tls": False,
        **{name.replace("__", "."): value for name, value in more.items()},
    }
    return load(EdgeSettings, file=None, environment={}, environment_prefix="X", options=options)


@contextmanager
def served(loaded: Loaded[EdgeSettings]) -> Iterator[Page]:
    with Page(loaded, Visitors(loaded)) as page:
        yield page
    assert page.worker.error is None


def spoken(speech: Speech) -> list[Block]:
    return list(AudioFile(str(speech.path("timer"))).blocks())


def test_each_phone_sees_its_own_and_it_is_there_when_it_comes_back(tmp_path: Path, speech: Speech) -> None:
    with served(settings(tmp_path)) as page:
        ada, bert = Phone(page), Phone(page)
        looking, other = ada.look(), bert.look()
        assert looking.next("hello")[0]["can"] == []
        other.next("hello")
        ada.say(spoken(speech))
        told, number = looking.next("answer")
        while number is None:
            told, number = looking.next("answer")
        assert (told["kind"], told["by"]) == ("kept", ada.id)
        assert ada.ask("/answers")[1]["answers"][0]["utterance_id"] == told["utterance_id"]
        assert bert.ask("/answers")[1]["answers"] == []
        other.close()
        assert "answer" not in {kind for kind, _, _ in other.items.queue}
        looking.close()


def test_what_one_forgets_is_gone(tmp_path: Path, speech: Speech) -> None:
    with served(settings(tmp_path)) as page:
        ada = Phone(page)
        looking = ada.look()
        ada.say(spoken(speech))
        told, _ = looking.next("answer")
        assert ada.ask("/forget", {"utterance_id": told["utterance_id"]}) == (200, {"here": 1})
        assert ada.ask("/answers")[1]["answers"] == []
        assert ada.ask("/do/mute", {})[0] == 400
        looking.close()


def test_more_phones_than_there_is_room_for_are_told_so(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    async def visit() -> None:
        visitors = Visitors(settings(tmp_path, page__phones_max=1))
        async with visitors.of("a"):
            with pytest.raises(ParrotletError, match="Too many phones"):
                async with visitors.of("b"):
                    pass
        # Who went away makes room.
        async with visitors.of("b") as host:
            assert host.chain.services()[0].known_as is None
            assert len(visitors) == 1
        await visitors.close()

    asyncio.run(visit())
    gc.collect()
    assert "never retrieved" not in caplog.text


def test_a_phone_has_a_name_of_its_own_at_the_service(tmp_path: Path) -> None:
    async def visit() -> str:
        visitors = Visitors(settings(tmp_path))
        async with visitors.of("ab12cd34") as host:
            name = host.chain.keepers[0].service.device_id  # type: ignore[attr-defined]
        await visitors.close()
        return str(name)

    assert asyncio.run(visit()) == "desk.phone-ab12cd34"


def test_a_phone_that_finds_no_room_is_told_so_whatever_it_asks(tmp_path: Path) -> None:
    with served(settings(tmp_path, page__phones_max=1)) as page:
        ada = Phone(page)
        looking = ada.look()
        looking.next("hello")
        page.invitations._phones_max = 2
        bert = Phone(page)
        assert "Too many phones" in bert.ask("/answers")[1]["sentence"]
        with bert.speak() as microphone:
            assert "Too many phones" in json.loads(microphone.recv(PATIENCE_S))["sentence"]
        looking.close()


def test_what_is_forgotten_is_heard_no_more(tmp_path: Path, speech: Speech) -> None:
    with served(settings(tmp_path, spool__sound_days=1)) as page:
        ada = Phone(page)
        looking = ada.look()
        ada.say(spoken(speech))
        told, _ = looking.next("answer")
        folder = tmp_path / "phones" / ada.id / "sound"
        deadline_s = time.monotonic() + PATIENCE_S
        while not list(folder.glob("*.wav")) and time.monotonic() < deadline_s:
            time.sleep(0.01)
        assert list(folder.glob("*.wav"))
        assert ada.ask("/forget", {"utterance_id": told["utterance_id"]})[0] == 200
        assert not list(folder.iterdir())
        looking.close()


def test_what_a_phone_has_that_does_not_come_any_more_is_called_on(tmp_path: Path) -> None:
    phones = Phones(page_directory(tmp_path))
    phone = Invitations(phones, 1).accept(Invitations(phones, 1).invite().token, "", peer="here").phone
    place = tmp_path / "phones" / phone.id
    place.mkdir(parents=True)
    with served(settings(tmp_path)):
        deadline_s = time.monotonic() + PATIENCE_S
        while not (place / "spool.db").exists() and time.monotonic() < deadline_s:
            time.sleep(0.01)
        assert (place / "spool.db").exists()


def test_what_another_process_erases_is_told_to_who_looks_on(
    tmp_path: Path, speech: Speech, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(story, "WAITING_LOOK_S", 0.05)
    loaded = settings(tmp_path)
    with served(loaded) as page:
        ada = Phone(page)
        looking = ada.look()
        ada.say(spoken(speech))
        while looking.next("answer")[1] is None:
            pass
        # It has been looked at since.
        while looking.next("state")[0]["waiting"] != 1:
            pass
        assert forget(loaded, [Erasure()], ada.id).here == 1
        assert looking.next("forgotten")[0] == {"all": True}
        looking.close()


def test_a_hearing_thread_that_dies_ends_the_page_and_what_was_said_is_kept(
    tmp_path: Path, speech: Speech, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("edge.page.microphone.hear", breaking(hear))
    loaded = settings(tmp_path)
    with Page(loaded, Visitors(loaded)) as page:
        ada = Phone(page)
        with ada.speak() as microphone:
            microphone.send(json.dumps({"rate_hz": 16000}))
            assert json.loads(microphone.recv(PATIENCE_S)) == {"ready": True}
            for message in messages(spoken(speech)):
                microphone.send(message)
            said: list[Any] = []
            while not said:
                # It goes on speaking.
                microphone.send(json.dumps({"gap": None}))
                with suppress(TimeoutError):
                    told = json.loads(microphone.recv(0.02))
                    said += [told["sentence"]] if "sentence" in told else []
            assert "cannot be heard any more" in said[0]
        page.worker.join(PATIENCE_S)
        assert isinstance(page.worker.error, DaemonError)
        assert "A thread that hears a phone died of ZeroDivisionError" in str(page.worker.error)
    with opened(loaded, phone=ada.id) as store:
        (kept,) = store.kept()
        assert kept.state is State.WAITING
        assert kept.end is not None
        frames_ms = 10 * sum(piece.frames for piece in store.pieces(kept.number))
        assert kept.end.reason is EndReason.STOPPED
        assert 0 <= kept.end.duration_ms - frames_ms < 50


def breaking(hears: Callable[..., Iterator[Heard]]) -> Callable[..., Iterator[Heard]]:
    """In the middle of what is said."""

    def broken(*given: Any, **how: Any) -> Iterator[Heard]:
        for number, heard in enumerate(hears(*given, **how)):
            yield heard
            if number == 6:
                1 / 0  # noqa: B018

    return broken


@pytest.mark.parametrize("rate_hz", [8000, 44_101, 192_000])
def test_no_sound_that_a_phone_sends_ends_the_page(tmp_path: Path, rate_hz: int) -> None:
    draw = np.random.default_rng(rate_hz)
    sounds = [
        np.full(rate_hz, -32768),
        np.tile([-32768, 32767], rate_hz // 2),
        draw.integers(-32768, 32768, rate_hz),
        np.zeros(rate_hz),
        np.array([1]),
    ]
    with served(settings(tmp_path)) as page:
        with Phone(page).speak() as microphone, suppress(ConnectionClosed):
            microphone.send(json.dumps({"rate_hz": rate_hz}))
            microphone.recv(PATIENCE_S)
            first = 2**32 - rate_hz
            for number, sound in enumerate(sounds):
                for part in np.array_split(sound.astype("<i2"), 1 + len(sound) // 3000):
                    microphone.send(struct.pack("<I", first % 2**32) + part.tobytes())
                    first += len(part)
                microphone.send(json.dumps({"gap": "why not"}))
                first += number * rate_hz // 3
            microphone.send(json.dumps({"end": True}))
            with pytest.raises(ConnectionClosedOK):
                # How much of it has come is told first.
                while "heard" in json.loads(microphone.recv(PATIENCE_S)):
                    pass
        assert page.worker.alive

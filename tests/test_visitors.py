"""Phones without a board: each has what was said into it, and nothing of others."""

import asyncio
import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from common.errors import ParrotletError
from common.settings import Loaded, load
from edge.page.page import Page
from edge.page.visitors import Visitors
from edge.settings import EdgeSettings
from edge.sound.audio_file import AudioFile
from edge.sound.source import Block
from tests.conftest import Speech
from tests.page_phone import PATIENCE_S, Phone


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


def test_more_phones_than_there_is_room_for_are_told_so(tmp_path: Path) -> None:
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
    (tmp_path / "phones" / "ab12cd34").mkdir(parents=True)
    with served(settings(tmp_path)):
        deadline_s = time.monotonic() + PATIENCE_S
        while not (tmp_path / "phones" / "ab12cd34" / "spool.db").exists() and time.monotonic() < deadline_s:
            time.sleep(0.01)
        assert (tmp_path / "phones" / "ab12cd34" / "spool.db").exists()

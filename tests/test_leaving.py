"""What a phone without a board said is gone when it is revoked, here and at the service, whatever dies meanwhile."""

import asyncio
import json
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from cloud.log.answer_log import Key
from common.errors import IdentityError
from edge.__main__ import main
from edge.page import visitors
from edge.page.visitors import Visitors
from edge.phones.invitations import Invitations
from edge.phones.phones import Phones
from edge.phones.shown_certificate import page_directory
from edge.spool import leaving
from edge.spool.leaving import leave, leavers
from tests.conftest import Speech
from tests.page_phone import PATIENCE_S, Phone
from tests.test_answer_log import get, put
from tests.test_forget import Answering, answering, filled, left
from tests.test_visitors import served, settings, spoken

AWAY = "127.0.0.1:9"


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Answering]:
    with answering(tmp_path / "service") as running:
        yield running


@pytest.fixture
def state(tmp_path: Path) -> Path:
    """Of a machine that serves two phones."""
    return tmp_path / "state"


def paired(state: Path, service: Answering, name: str) -> str:
    """A phone that has said something, which waits or was answered; its sound was kept."""
    invitations = Invitations(Phones(page_directory(state)), 2)
    phone = invitations.accept(invitations.invite().token, name, peer="here").phone.id
    filled(state / "phones" / phone)
    (state / "phones" / phone / "sound").mkdir()
    (state / "phones" / phone / "sound" / "u0.wav").write_text("words-canary-0 ")
    (state / "phones" / phone / "spool.db.damaged-1").write_text("words-canary-1 ")
    put(service.log, at(phone), "words", 0)
    return phone


def at(phone: str) -> Key:
    return Key(f"desk.phone-{phone}", "u1")


def run(state: Path, *arguments: str, service: str) -> Result:
    options = ["--state-dir", str(state), "--cloud", service, "--device-id", "desk"]
    return CliRunner().invoke(main, ["phones", "revoke", *arguments, *options])


def until(is_so: Callable[[], bool]) -> None:
    deadline_s = time.monotonic() + PATIENCE_S
    while not is_so():
        assert time.monotonic() < deadline_s
        time.sleep(0.01)


def test_a_phone_that_is_revoked_leaves_nothing_and_others_keep_theirs(state: Path, service: Answering) -> None:
    ada, bert = (paired(state, service, name) for name in ("Ada", "Bert"))
    result = run(state, "ada", service=service.address)
    assert (result.exit_code, result.output) == (
        0,
        f"Revoked: Ada ({ada}).\nErased what they said, here and, of 1 utterances, at the service.\n",
    )
    assert [place.name for place in (state / "phones").iterdir()] == [bert]
    assert left(state / "phones" / bert) == [0, 1, 2, 3]
    assert (get(service.log, at(ada)), get(service.log, at(bert)) is None) == (None, False)


def test_a_service_that_is_away_is_asked_by_who_serves_the_page(
    state: Path, service: Answering, monkeypatch: pytest.MonkeyPatch
) -> None:
    ada = paired(state, service, "Ada")
    result = run(state, "--all", service=AWAY)
    assert result.exit_code == 3
    assert "The service is asked as soon as who serves the page reaches it. 127.0.0.1:9: " in result.output
    # Of the folder only that there is one.
    assert (left(state / "phones" / ada), get(service.log, at(ada)) is None) == ([], False)
    monkeypatch.setattr(visitors, "LEAVE_LOOK_S", 0.01)
    with served(settings(state, cloud__address=service.address)):
        until(lambda: not (state / "phones" / ada).exists())
    assert get(service.log, at(ada)) is None


def test_that_a_service_is_away_is_told_once(state: Path, service: Answering, caplog: pytest.LogCaptureFixture) -> None:
    ada = paired(state, service, "Ada")

    async def visit() -> None:
        away = Visitors(settings(state, cloud__address=AWAY))
        assert [await away._see_off(ada) for _ in range(3)] == [False] * 3

    asyncio.run(visit())
    assert caplog.text.count("a service is still to forget a phone that was revoked") == 1


@pytest.mark.parametrize("killed_at", ["_empty", "bring_erasure", "shutil.rmtree"])
def test_whoever_is_killed_meanwhile_is_followed_by_another(
    state: Path, service: Answering, monkeypatch: pytest.MonkeyPatch, killed_at: str
) -> None:
    ada = paired(state, service, "Ada")

    def killed(*given: Any, **how: Any) -> Any:
        raise KeyboardInterrupt

    with monkeypatch.context() as dying:
        dying.setattr(f"edge.spool.leaving.{killed_at}", killed)
        run(state, "Ada", service=service.address)
    assert (state / "phones" / ada).is_dir()
    # Nobody is called so any more, and yet it goes on.
    assert run(state, "--all", service=service.address).exit_code == 0
    assert not (state / "phones" / ada).exists()
    assert get(service.log, at(ada)) is None


def test_one_that_still_speaks_is_seen_off_by_who_serves_it(
    state: Path, service: Answering, speech: Speech, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(visitors, "LEAVE_LOOK_S", 0.01)
    with served(settings(state, cloud__address=service.address, spool__sound_days=1)) as page:
        ada = Phone(page)
        put(service.log, at(ada.id), "words", 0)
        looking = ada.look()
        looking.next("hello")
        ada.say(spoken(speech))
        result = run(state, ada.id, service=service.address)
        assert "Who serves the page erases what they said in a few seconds" in result.output
        until(lambda: not (state / "phones" / ada.id).exists())
        assert get(service.log, at(ada.id)) is None
        assert ada.ask("/answers")[0] == 401
        looking.close()


def test_who_is_looked_at_is_seen_off_afterwards(state: Path, service: Answering) -> None:
    async def visit() -> None:
        serving = Visitors(settings(state, cloud__address=service.address))
        async with serving.of("ab12cd34") as phone:
            await serving._see_off("ab12cd34")
            assert phone.alive
            assert phone.spool.ask(lambda store: store.event_numbers()).result(PATIENCE_S) == []
        await serving._see_off("ab12cd34")
        assert not phone.alive
        assert not (state / "phones" / "ab12cd34").exists()

    asyncio.run(visit())


def test_a_phone_that_unpairs_itself_leaves_nothing(
    state: Path, service: Answering, speech: Speech, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(visitors, "LEAVE_LOOK_S", 0.01)
    with served(settings(state, cloud__address=service.address)) as page:
        ada = Phone(page)
        ada.say(spoken(speech))
        assert (state / "phones" / ada.id).exists()
        assert ada.ask("/unpair", {})[0] == 200
        until(lambda: not (state / "phones" / ada.id).exists())


def test_a_spool_that_cannot_be_read_goes_with_the_rest(state: Path, service: Answering) -> None:
    ada = paired(state, service, "Ada")
    (state / "phones" / ada / "spool.db").write_bytes(b"none" * 1000)
    assert run(state, "Ada", service=service.address).exit_code == 0
    assert not (state / "phones" / ada).exists()


def test_where_nobody_knows_who_is_paired_nobody_leaves(state: Path, service: Answering) -> None:
    ada = paired(state, service, "Ada")
    (page_directory(state) / "phones.json").write_text("{")
    with pytest.raises(IdentityError):
        leavers(state, Phones(page_directory(state)))
    assert left(state / "phones" / ada) == [0, 1, 2, 3]


def test_what_somebody_has_open_is_left_to_them(state: Path, service: Answering) -> None:
    ada = paired(state, service, "Ada")
    loaded = settings(state, cloud__address=service.address)
    lock = leaving.locked(state / "phones" / ada / "spool.db")
    assert lock is not None
    try:
        assert leave(loaded, state, ada).in_use
        assert left(state / "phones" / ada) == [0, 1, 2, 3]
    finally:
        os.close(lock)
    assert leave(loaded, state, ada) == (1, None, False)


def test_the_phones_of_a_board_say_what_is_the_boards(state: Path, service: Answering) -> None:
    filled(state)
    invitations = Invitations(Phones(page_directory(state)), 2)
    invitations.accept(invitations.invite().token, "Ada", peer="here")
    result = run(state, "Ada", service=AWAY)
    assert (result.exit_code, result.output.count("\n")) == (0, 1)
    assert left(state) == [0, 1, 2, 3]
    assert json.loads((page_directory(state) / "phones.json").read_text())["phones"] == []

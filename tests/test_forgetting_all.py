"""`parrotlet-edge forget` reaches phones without a board: all of them, or those that are named."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from cloud.log.answer_log import Key
from edge import directories
from edge.__main__ import main
from edge.page.visitor import Visitor
from edge.phones.invitations import Invitations
from edge.phones.phones import Phones
from edge.phones.shown_certificate import page_directory
from edge.spool import courier
from edge.spool.erasure import Erasure
from edge.spool.kept_list import opened
from tests.test_answer_log import get, put
from tests.test_forget import Answering, answering, filled, left
from tests.test_leaving import until
from tests.test_visitors import settings

AWAY = "127.0.0.1:9"


class Desk:
    """A machine that serves two phones and was a board, and the service of all three."""

    def __init__(self, state: Path, service: Answering) -> None:
        self.state, self.service = state, service
        invitations = Invitations(Phones(page_directory(state)), 2)
        self.ada, self.bert = (
            invitations.accept(invitations.invite().token, name, peer="here").phone.id for name in ("Ada", "Bert")
        )
        self.places = {"desk": state} | {
            f"desk.phone-{phone}": state / "phones" / phone for phone in (self.ada, self.bert)
        }
        for device, place in self.places.items():
            filled(place)
            for number in range(4):
                put(service.log, Key(device, f"u{number}"), "words", number * 1_000_000)

    def run(self, *arguments: str, address: str | None = None) -> Result:
        cloud = address or self.service.address
        options = ["--state-dir", str(self.state), "--cloud", cloud, "--device-id", "desk"]
        return CliRunner().invoke(main, ["forget", *arguments, *options])

    def left(self) -> list[list[int]]:
        """Of the board, of Ada's phone and of Bert's: what is left here."""
        # The board's folder has the phones' in it.
        found = {device: left(place) for device, place in list(self.places.items())[1:]}
        with opened(settings(self.state)) as store:
            ids = {kept.head.utterance_id for kept in store.kept()}
            ids |= {event.utterance_id for _, event in store.events()}
        return [sorted(int(id_[1]) for id_ in ids), *found.values()]

    def there(self) -> list[list[int]]:
        """The same at the service."""
        return [
            [number for number in range(4) if get(self.service.log, Key(device, f"u{number}")) is not None]
            for device in self.places
        ]


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    with answering(tmp_path / "service") as service:
        yield Desk(tmp_path / "state", service)


ALL = [0, 1, 2, 3]


@pytest.mark.parametrize(
    ("arguments", "rest"),
    [
        (["--all"], [[], [], []]),
        (["--since", "1970-01-01T00:00:02Z"], [[0, 1], [0, 1], [0, 1]]),
        (["--phone", "ada", "--all"], [ALL, [], ALL]),
        (["--phone", "Ada", "--phone", "Bert", "u1"], [ALL, [0, 2, 3], [0, 2, 3]]),
    ],
)
def test_what_is_forgotten_is_gone_here_and_there(desk: Desk, arguments: list[str], rest: list[list[int]]) -> None:
    result = desk.run(*arguments)
    assert result.exit_code == 0, result.output
    assert (desk.left(), desk.there()) == (rest, rest)
    gone = 12 - sum(map(len, rest))
    assert result.output == f"Erased: {gone} utterances on this board, {gone} at the service.\n"


def test_what_only_one_has_is_asked_of_the_service_for_that_one_alone(desk: Desk) -> None:
    desk.run("--phone", "Bert", "u0")
    desk.run("--phone", desk.ada, "u0")
    assert desk.run("u0", address=AWAY).stdout == "Erased: 1 utterances on this board.\n"
    assert owed(desk) == [[Erasure("u0")], [], []]
    # Nobody here knows it any more: then the service may, of anybody.
    assert desk.run("u0", address=AWAY).exit_code == 3
    assert owed(desk) == [[Erasure("u0"), Erasure("u0")], [Erasure("u0")], [Erasure("u0")]]


def owed(desk: Desk) -> list[list[object]]:
    """To the service: for the board, Ada's phone and Bert's."""
    debts = []
    for phone in (None, desk.ada, desk.bert):
        with opened(settings(desk.state), phone=phone) as store:
            debts.append([owed for _, owed in store.debts.owed("cloud")])
    return debts


def test_an_id_that_several_begin_with_erases_nothing_of_anybody(desk: Desk) -> None:
    desk.run("--phone", "Ada", "u1", "u2", "u3")
    result = desk.run("u")
    assert (result.exit_code, result.output) == (2, "u: 4 utterances begin so; give more of it.\n")
    assert desk.left() == [ALL, [0], ALL]


@pytest.mark.parametrize("dies", [False, True])
def test_a_service_that_is_away_is_asked_when_the_phone_is_served(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, dies: bool
) -> None:
    def killed(*given: Any) -> Any:
        raise KeyboardInterrupt

    with monkeypatch.context() as dying:
        if dies:
            dying.setattr("edge.spool.forgetting.bring", killed)
        result = desk.run("--phone", "Ada", "--all", address=AWAY)
    assert result.exit_code == (130 if dies else 3)
    assert (desk.left(), desk.there()) == ([ALL, [], ALL], [ALL, ALL, ALL])
    monkeypatch.setattr(courier, "LOOK_S", 0.01)
    loaded = settings(desk.state, cloud__address=desk.service.address)
    with Visitor(loaded, desk.ada, desk.state / "phones" / desk.ada):
        until(lambda: desk.there() == [ALL, [], ALL])


def test_a_name_that_fits_none_erases_nothing(desk: Desk) -> None:
    result = desk.run("--phone", "Carl", "--all")
    assert result.exit_code == 2
    assert f"there are: Ada ({desk.ada}), Bert ({desk.bert})" in result.output
    assert desk.left() == [ALL, ALL, ALL]


def test_what_a_daemon_keeps_for_itself_is_not_said_to_be_erased(
    desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def make(directory: Path, *, is_own: bool) -> None:
        if directory == desk.state:
            raise PermissionError(13, "Permission denied")

    own = tmp_path / "own"
    monkeypatch.setattr(directories, "candidates", lambda loaded, purpose: [desk.state, own])
    monkeypatch.setattr(directories, "_make", make)
    result = desk.run("--all")
    assert result.exit_code == 2
    assert (
        result.output == f"{desk.state} is where the board's daemon looks, and not yours: sudo parrotlet-edge forget\n"
    )
    assert desk.there() == [ALL, ALL, ALL]

"""How a phone is paired: invitations, the file they are in, and what a phone sends."""

import json
import logging
import secrets
import stat
import threading
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.errors import IdentityError
from common.rates import Guesses
from edge.phones.invitations import GOOD_S, OPEN_MAX, Invitations, Invited, NotInvited
from edge.phones.phones import DAY_US, NAME_CHARACTERS_MAX, Admitted, Phones, shown_name
from tests.page_server import served

NOON_US = 1_795_910_400_000_000


class Clock:
    """Both kinds of time, as the test sets them."""

    def __init__(self) -> None:
        self.s, self.us, self.boot = 1000.0, NOON_US, "boot 1"


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def phones(tmp_path: Path, clock: Clock) -> Phones:
    return Phones(tmp_path / "page", lambda: clock.us)


@pytest.fixture
def invitations(phones: Phones, clock: Clock) -> Invitations:
    return Invitations(phones, 3, lambda: clock.s, lambda: clock.boot)


def test_a_token_or_a_code_pairs_one_phone_once(phones: Phones, invitations: Invitations) -> None:
    by_token, by_code = invitations.invite(), invitations.invite()
    first = invitations.accept(by_token.token, "Ada's phone", peer="192.0.2.7")
    second = invitations.accept(by_code.code, "Ben", peer="192.0.2.8")
    assert [(phone.name, phone.id) for phone in phones.all()] == [
        ("Ada's phone", first.phone.id),
        ("Ben", second[0].id),
    ]
    for used in (by_token.token, by_token.code, by_code.token, by_code.code):
        with pytest.raises(NotInvited):
            invitations.accept(used, "Eve", peer="192.0.2.9")
    known = phones.by_cookie(first.cookie)
    assert known is not None and known.name == "Ada's phone"
    assert phones.by_cookie(second.cookie.replace(second[0].id, first.phone.id)) is None
    assert invitations.outcome(by_token.id) == first.phone


def test_the_second_use_is_told_to_the_owner_and_the_token_to_nobody(
    invitations: Invitations, caplog: pytest.LogCaptureFixture
) -> None:
    invited = invitations.invite()
    with caplog.at_level(logging.DEBUG):
        admitted = invitations.accept(invited.token, "Ada's phone", peer="192.0.2.7")
        for _ in range(3):
            with pytest.raises(NotInvited) as refused:
                invitations.accept(invited.token, "Eve", peer="192.0.2.66")
    # Once: a thief shall not fill the log either.
    assert caplog.text.count("a second time") == 1
    assert "a pairing code that Ada's phone" in caplog.text and "192.0.2.66" in caplog.text
    assert f"parrotlet-edge phones revoke {admitted.phone.id}" in caplog.text
    for text in (caplog.text, str(refused.value), repr(invited), repr(admitted)):
        for secret in (invited.token, invited.code, admitted.cookie, admitted.cookie.partition(".")[2]):
            assert secret not in text


def test_the_file_has_no_secret_and_is_its_owners_alone(
    tmp_path: Path, phones: Phones, invitations: Invitations
) -> None:
    invited, other = invitations.invite(), invitations.invite()
    admitted = invitations.accept(invited.token, "Ada's phone", peer="here")
    (file,) = (tmp_path / "page").iterdir()
    for secret in (invited.token, other.token, other.code, other.code.replace("-", ""), admitted.cookie[9:]):
        assert secret not in file.read_text()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700


def test_a_command_that_sees_another_run_of_the_machine_believes_who_serves(
    phones: Phones, invitations: Invitations, clock: Clock
) -> None:
    invitations.serve()
    # As in a container whose own id does not reach the unit.
    typed = Invitations(phones, 3, lambda: clock.s, lambda: "the container's")
    first, second = typed.invite(), typed.invite()
    assert invitations.accept(first.code, "", peer="here").phone.name == "Phone"
    # After a restart who serves knows better than the file.
    clock.boot = "boot 2"
    with pytest.raises(NotInvited):
        invitations.accept(second.code, "", peer="here")


@pytest.mark.parametrize(
    ("later_s", "later_boot"), [(GOOD_S, "boot 1"), (GOOD_S + 1e6, "boot 1"), (1, "boot 2"), (-500, "boot 1")]
)
def test_an_invitation_is_over_after_ten_minutes_or_a_restart_of_the_machine(
    invitations: Invitations, clock: Clock, later_s: float, later_boot: str
) -> None:
    invited = invitations.invite()
    clock.s, clock.boot = clock.s + later_s, later_boot
    for each in (invited.token, invited.code):
        with pytest.raises(NotInvited, match="parrotlet-edge pair makes a new one"):
            invitations.accept(each, "", peer="here")


def test_it_is_good_until_then_whatever_the_wall_clock_does(invitations: Invitations, clock: Clock) -> None:
    invited = invitations.invite()
    clock.s, clock.us = clock.s + GOOD_S - 1, 0
    assert invitations.accept(invited.code, "", peer="here").phone.name == "Phone"


def test_one_that_was_taken_back_is_good_for_nothing(invitations: Invitations) -> None:
    invited, used = invitations.invite(), invitations.invite()
    invitations.accept(used.token, "Ada", peer="here")
    for each in (invited, used):
        invitations.withdraw(each.id)
    with pytest.raises(NotInvited):
        invitations.accept(invited.token, "", peer="here")
    assert invitations.outcome(invited.id) is None
    assert invitations.outcome(used.id) is not None


def test_few_invitations_are_open_at_a_time_and_the_newest_are(phones: Phones, invitations: Invitations) -> None:
    made = [invitations.invite() for _ in range(OPEN_MAX + 2)]
    assert [each.id for each in phones.record.read().invitations] == [each.id for each in made[2:]]


@pytest.mark.parametrize("write", [str.lower, lambda code: code.replace("-", ""), lambda code: f" {code}\n"])
def test_a_code_may_be_written_as_people_do(invitations: Invitations, write: Any) -> None:
    invitations.accept(write(invitations.invite().code), "", peer="here")


def test_letters_that_look_like_digits_are_those(invitations: Invitations, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(secrets, "choice", lambda alphabet: alphabet[1])
    invited = invitations.invite()
    assert invited.code == "1111-1111"
    invitations.accept("lLiI-1iL1", "", peer="here")


@given(st.text(max_size=60))
def test_nothing_that_one_makes_up_is_good(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    invitations = Invitations(Phones(tmp_path_factory.mktemp("p")), 3)
    invitations.invite()
    with pytest.raises(NotInvited):
        invitations.accept(text, "", peer="here")


def test_a_board_has_room_for_so_many(invitations: Invitations, phones: Phones) -> None:
    last = [invitations.invite() for _ in range(4)]
    admitted = [invitations.accept(each.token, "Ada", peer="here") for each in last[:3]]
    with pytest.raises(IdentityError, match=r"all the phones that page.phones_max allows \(3\)"):
        invitations.invite()
    with pytest.raises(IdentityError, match="page.phones_max"):
        invitations.accept(last[3].token, "Ada", peer="here")
    # The same phone once more takes no further place, and the invitation was not used up.
    again = invitations.accept(last[3].token, "Ada", peer="here", instead_of=admitted[0].phone.id)
    assert len(phones.all()) == 3
    assert phones.by_cookie(admitted[0].cookie) is None
    assert phones.by_cookie(again.cookie) is not None


def test_names_are_told_apart_and_fit_a_line(invitations: Invitations, phones: Phones) -> None:
    for name in ("Ada", "ada", "\x1b[2J\nEve\u202e" + "x" * 100):
        invitations.accept(invitations.invite().token, name, peer="here")
    names = [phone.name for phone in phones.all()]
    assert names[:2] == ["Ada", "ada 2"]
    assert names[2].startswith("[2J Eve x") and len(names[2]) == NAME_CHARACTERS_MAX
    assert [phone.name for phone in phones.found("ADA 2")] == ["ada 2"]
    assert phones.found(phones.all()[0].id) == phones.all()[:1]
    assert phones.found("Adam") == []
    assert shown_name(" \x00 ") == ""


def test_what_a_revoked_phone_shows_is_nobodys(invitations: Invitations, phones: Phones) -> None:
    admitted = invitations.accept(invitations.invite().token, "Ada", peer="here")
    assert phones.is_known(admitted.phone.id)
    phones.revoke([admitted.phone.id])
    assert not phones.is_known(admitted.phone.id)
    assert phones.by_cookie(admitted.cookie) is None


def test_when_a_phone_was_seen_is_written_once_a_day(invitations: Invitations, phones: Phones, clock: Clock) -> None:
    phone = invitations.accept(invitations.invite().token, "Ada", peer="here").phone
    assert phones.is_seen_today(phone)
    clock.us += DAY_US
    assert not phones.is_seen_today(phone)
    phones.seen(phone.id)
    (seen,) = phones.all()
    assert seen.last_seen_unix_us == NOON_US + DAY_US and phones.is_seen_today(seen)
    # A clock that went back is no news.
    clock.us -= 3 * DAY_US
    assert phones.is_seen_today(seen)


def test_another_process_sees_it_at_once_and_of_many_that_come_with_one_token_one_is_paired(tmp_path: Path) -> None:
    owner, daemon = Phones(tmp_path / "page"), Phones(tmp_path / "page")
    assert daemon.all() == []
    invited = Invitations(owner, 50).invite()
    outcomes: list[Admitted | None] = []

    def come() -> None:
        try:
            outcomes.append(Invitations(Phones(tmp_path / "page"), 50).accept(invited.token, "Ada", peer="here"))
        except NotInvited:
            outcomes.append(None)

    threads = [threading.Thread(target=come) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(outcomes) == 8 and outcomes.count(None) == 7
    assert len(daemon.all()) == 1


def test_a_file_that_cannot_be_read_lets_nobody_in_and_is_told_once(
    tmp_path: Path, phones: Phones, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "page" / "phones.json").write_text('{"phones": 7}')
    with pytest.raises(IdentityError, match=r"phones\.json is not what it should be"):
        phones.all()
    for _ in range(3):
        assert not phones.is_known("00000000")
    assert caplog.text.count("no phone is let in") == 1


def test_a_phone_is_paired_over_the_network_and_unpairs_itself(tmp_path: Path) -> None:
    with served(tmp_path) as board:
        invited = board.invitations.invite()
        paired = board.post("/pair", {"token": invited.token, "name": "Ada's phone"})
        assert (paired.status, paired.body) == (200, b"{}")
        cookie, _, attributes = paired.headers["Set-Cookie"].partition("; ")
        assert attributes == "Path=/; Max-Age=34560000; HttpOnly; SameSite=Strict; Secure"
        assert board.ask("/me", cookie=cookie).body == b"Ada's phone 0"
        assert board.post("/pair", {"token": invited.token}).status == 403
        gone = board.post("/unpair", {}, cookie=cookie)
        assert gone.headers["Set-Cookie"].startswith("__Host-parrotlet=; Path=/; Max-Age=0;")
        assert gone.headers["Clear-Site-Data"] == '"cache", "storage"'
        assert board.ask("/me", cookie=cookie).status == 401


def test_a_phone_that_a_link_led_here_is_led_here_once_more_with_its_cookie(tmp_path: Path) -> None:
    with served(tmp_path) as board:
        led = board.ask("/", Sec_Fetch_Site="cross-site")
        assert (led.body, led.headers["Refresh"]) == (b"<p>Pair</p>", "0; url=/?again")
        assert led.headers["Cache-Control"] == "no-store"
        for path, site in (("/?again", "cross-site"), ("/", "same-origin"), ("/", "none"), ("/pair", "cross-site")):
            shown = board.ask(path, Sec_Fetch_Site=site)
            assert (shown.body, shown.headers["Refresh"]) == (b"<p>Pair</p>", None)


def test_who_unpairs_itself_gets_its_answer_before_its_connection_ends(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with served(tmp_path, look_s=0.01) as board:
        for _ in range(20):
            assert board.post("/unpair", {}, cookie=board.paired()).status == 200


def test_a_phone_that_pairs_again_is_the_same_one(tmp_path: Path) -> None:
    with served(tmp_path) as board:
        was = board.post("/pair", {"code": board.invitations.invite().code}).cookie
        again = board.post("/pair", {"code": board.invitations.invite().code}, cookie=was).cookie
        assert len(board.phones.all()) == 1
        assert board.ask("/me", cookie=was).status == 401
        assert board.ask("/me", cookie=again).status == 200


@pytest.mark.parametrize(
    ("user_agent", "name"),
    [
        ("Mozilla/5.0 (iPhone; CPU iPhone OS 19_0 like Mac OS X)", "iPhone"),
        ("Mozilla/5.0 (Linux; Android 16; Pixel 9)", "Android phone"),
        ("Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7)", "Mac"),
        ("curl", "Phone"),
    ],
)
def test_a_phone_that_gives_no_name_is_called_by_its_kind(tmp_path: Path, user_agent: str, name: str) -> None:
    with served(tmp_path) as board:
        board.post("/pair", {"code": board.invitations.invite().code, "name": " "}, User_Agent=user_agent)
        assert [phone.name for phone in board.phones.all()] == [name]


@pytest.mark.parametrize(
    "body", [b"", b"{", b"[]", b'{"code": 7}', b"\xff", b"{}", b"[" * 9000, b'{"code":"a","token":"b"}']
)
def test_what_is_no_request_to_pair_gets_a_sentence(tmp_path: Path, body: bytes) -> None:
    with served(tmp_path) as board:
        refused = board.ask("/pair", "POST", body=body)
        assert refused.status == 400
        assert refused.sentence.endswith(".")


def test_who_guesses_codes_has_to_wait_and_may_still_bring_a_token(tmp_path: Path) -> None:
    clock = Clock()
    with served(tmp_path, guesses=Guesses(lambda: clock.s)) as board:
        invited = board.invitations.invite()
        for number in range(5):
            refused = board.post("/pair", {"code": f"0000-000{number}"})
            assert (refused.status, "not good" in refused.sentence) == (403, True)
        # Even the right one.
        waits = board.post("/pair", {"code": invited.code})
        assert (waits.status, waits.headers["Retry-After"]) == (429, "60")
        assert waits.sentence == "There were too many wrong codes. Try again in 60 s."
        assert board.post("/pair", {"code": "1"}, source="127.0.0.2").status == 403
        clock.s += 60
        assert board.post("/pair", {"code": "1"}).status == 403
        assert board.post("/pair", {"code": "1"}).headers["Retry-After"] == "120"
        assert board.post("/pair", {"token": "x"}).status == 403
        assert board.post("/pair", {"token": invited.token}).status == 200


def test_a_full_board_says_so_in_its_log_and_not_to_strangers(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with served(tmp_path) as board:
        invited = [board.invitations.invite() for _ in range(6)]
        for each in invited[:5]:
            board.invitations.accept(each.token, "", peer="here")
        refused = board.post("/pair", {"token": invited[5].token})
        assert refused.status == 503
        assert "phones_max" not in json.dumps(refused.sentence)
        assert "page.phones_max" in caplog.text


def test_invited_tells_nothing() -> None:
    assert repr(Invited("ab", "token", "CODE")) == "Invited(ab)"

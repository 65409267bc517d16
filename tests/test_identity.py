"""Who a board is: the file, when it is renewed, and the client that follows it while it runs."""

import asyncio
import logging
import stat
import threading
from collections.abc import Iterator
from concurrent.futures import Future
from pathlib import Path
from typing import Any

import msgspec
import pytest
from click.testing import CliRunner

from cloud.keys.authority import BOARD_DAYS, DAY_US
from common.errors import CloudError, IdentityError, ParrotletError
from common.settings import Loaded, load
from edge.__main__ import main
from edge.asking import link
from edge.asking.answer import Answer, Partial
from edge.asking.cloud_client import CloudClient
from edge.asking.services import chain_of
from edge.clock import Clock as BoardClock
from edge.keys import identity_watch
from edge.keys.discovery import Found
from edge.keys.identity import Enrolment, Identity, IdentityFile, check_name, enrolment
from edge.settings import EdgeSettings
from edge.speech.turn import Opinion
from edge.spool import kept_frames
from edge.spool.event import Event, Kind
from edge.spool.keeping import Keeping
from edge.spool.spool import Spool
from protos.feature_spec import DEFAULT_SPEC
from tests.closed_service import NOW_US, WAIT_S, Clock, ClosedService, closed_service
from tests.test_cloud_client import END, answers, frames, head
from tests.test_cloud_client import service as plain_service

LIFE_US = BOARD_DAYS * DAY_US
IDENTITY = Identity("127.0.0.1:7407", "kitchen", "key", "certificate", "authority", NOW_US, NOW_US + LIFE_US)


@pytest.fixture(scope="module")
def closed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ClosedService]:
    with closed_service(tmp_path_factory.mktemp("service"), Clock()) as running:
        yield running


def settings(state_dir: Path, **options: Any) -> Loaded[EdgeSettings]:
    paths = {"device.state_dir": str(state_dir)} | {path.replace("__", "."): value for path, value in options.items()}
    return load(EdgeSettings, file=None, environment_prefix="PARROTLET_EDGE", environment={}, options=paths)


def client(loaded: Loaded[EdgeSettings]) -> CloudClient:
    return CloudClient(loaded.settings.cloud, device_id="own-name", enrolment=enrolment(loaded))


def say(cloud: CloudClient) -> str:
    stream = cloud.start(head())
    stream.send(frames(0))
    stream.finish(END)
    return stream.answer(WAIT_S).transcript


def test_keys_are_their_owners_alone_and_whole(tmp_path: Path) -> None:
    file = IdentityFile([tmp_path / "nowhere", tmp_path])
    assert file.read() is None
    kept = file.write(tmp_path, IDENTITY)
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    assert stat.S_IMODE(kept.parent.stat().st_mode) == 0o700
    assert file.read() == IDENTITY
    newer = msgspec.structs.replace(IDENTITY, device_id="bedroom")
    file.write(tmp_path, newer)
    assert file.read() == newer
    assert [each.name for each in kept.parent.iterdir()] == ["cloud.json"]
    assert file.directory() == tmp_path


@pytest.mark.parametrize("content", [b"{", b'{"device_id": "\xff\xfe"}'])
def test_a_file_that_is_none_is_told_with_a_cure(tmp_path: Path, content: bytes) -> None:
    file = IdentityFile([tmp_path])
    file.write(tmp_path, IDENTITY).write_bytes(content)
    with pytest.raises(IdentityError, match=r"cloud\.json is not what enrolling wrote \(.*\); enrol again"):
        file.read()


@pytest.mark.parametrize(
    ("now_us", "due"),
    [
        (NOW_US, False),
        (NOW_US + LIFE_US * 2 // 3 - DAY_US, False),
        (NOW_US + LIFE_US * 2 // 3 + DAY_US, True),
        # A clock before the certificate is wrong: it may be late.
        (0, True),
        (NOW_US - DAY_US, True),
    ],
    # Names of tests may not hang on the time: processes that share them out would not mean the same ones.
    ids=["new", "shortly before", "shortly after", "in 1970", "before it was made"],
)
def test_a_certificate_is_due_after_two_thirds_of_its_life(now_us: int, due: bool) -> None:
    assert IDENTITY.is_due(now_us) is due


def test_a_certificate_is_not_judged_by_a_wrong_clock_without_saying_so() -> None:
    assert IDENTITY.why_not(0, None) is None
    assert IDENTITY.why_not(NOW_US, True) is None
    late_us = NOW_US + 2 * LIFE_US
    sure, unsure = IDENTITY.why_not(late_us, True), IDENTITY.why_not(late_us, False)
    assert sure and unsure
    assert "certificate expired on 20" in sure
    assert "nobody keeps that clock right" in unsure
    assert "nobody keeps" not in sure


@pytest.mark.parametrize("name", ["", "../x", "a b", "ä", "1x"])
def test_a_service_is_called_by_a_word(name: str) -> None:
    with pytest.raises(ParrotletError, match="must be a word"):
        check_name(name)


def test_an_enrolled_board_asks_where_it_enrolled_unless_its_owner_says_otherwise(tmp_path: Path) -> None:
    there = msgspec.structs.replace(IDENTITY, address="192.0.2.1:7407")
    IdentityFile([tmp_path]).write(tmp_path, there)

    def asked(**options: Any) -> tuple[Identity | None, str]:
        found = enrolment(settings(tmp_path, **options))
        return found.identity(), found.address(found.identity())

    assert asked() == (there, "192.0.2.1:7407")
    assert asked(cloud__address="speech.example:7407") == (there, "speech.example:7407")
    # A service on the board itself is another one.
    assert asked(cloud__address="127.0.0.1:7407") == (None, "127.0.0.1:7407")


def test_an_utterance_is_answered_over_tls_under_the_name_of_the_certificate(
    closed: ClosedService, tmp_path: Path
) -> None:
    loaded = settings(tmp_path)
    IdentityFile([tmp_path]).write(tmp_path, closed.identity("kitchen"))
    with client(loaded) as cloud:
        assert say(cloud) == "hello"
        assert (cloud.device_id, cloud.address) == ("kitchen", str(closed.address))


def test_a_board_speaks_no_plain_text_to_another_machine(tmp_path: Path) -> None:
    with client(settings(tmp_path, cloud__address="192.0.2.1:7407")) as cloud:
        with pytest.raises(
            CloudError, match=r"^192\.0\.2\.1:7407: this board has not enrolled .* parrotlet-edge enrol"
        ):
            say(cloud)


def test_a_board_that_is_revoked_is_told_what_to_do(closed: ClosedService, tmp_path: Path) -> None:
    IdentityFile([tmp_path]).write(tmp_path, closed.identity("attic"))
    closed.authority.revoke("attic")
    with client(settings(tmp_path)) as cloud:
        with pytest.raises(CloudError, match=r"\(The board attic was revoked\)\. To enrol again: parrotlet-edge enrol"):
            say(cloud)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"authority": "other"}, "is not the service that this board enrolled with"),
        ({"expires_at_unix_us": NOW_US}, "this board's certificate expired on 20"),
    ],
    ids=["another authority", "expired"],
)
def test_what_tls_refuses_is_told_in_a_sentence(
    closed: ClosedService, tmp_path: Path, change: dict[str, Any], sentence: str
) -> None:
    identity = closed.identity("porch")
    if change.get("authority"):
        with closed_service(tmp_path / "other", Clock()) as other:
            change = {"authority": other.authority.trusted().decode()}
    else:
        # As if it had expired: its address is nobody's.
        change = change | {"address": "127.0.0.1:9"}
    IdentityFile([tmp_path]).write(tmp_path, msgspec.structs.replace(identity, **change))
    with client(settings(tmp_path, cloud__reach_s_max=0)) as cloud:
        with pytest.raises(CloudError, match=sentence):
            say(cloud)


def test_two_that_do_not_both_speak_tls_are_told_in_a_sentence(closed: ClosedService, tmp_path: Path) -> None:
    with client(settings(tmp_path, cloud__address=str(closed.address), cloud__reach_s_max=0)) as cloud:
        with pytest.raises(CloudError, match="closes the connection. If it speaks TLS: parrotlet-edge enrol"):
            say(cloud)
    with plain_service(answers) as (_, address):
        IdentityFile([tmp_path]).write(tmp_path, msgspec.structs.replace(closed.identity("shed"), address=address))
        with client(settings(tmp_path, cloud__reach_s_max=0)) as cloud:
            with pytest.raises(CloudError, match="what answers there speaks plain text, and this board does not"):
                say(cloud)


def test_an_identity_that_comes_while_the_board_runs_is_taken_up(
    closed: ClosedService, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(identity_watch, "LOOK_S", 0.02)
    with client(settings(tmp_path, cloud__reach_s_max=0)) as cloud:
        assert cloud.address == "127.0.0.1:7407"
        for name in ("cellar", "garage"):
            IdentityFile([tmp_path]).write(tmp_path, closed.identity(name))
            cloud.network.run(_becomes(cloud, name)).result(WAIT_S)
            assert say(cloud) == "hello"


async def _becomes(cloud: CloudClient, name: str) -> None:
    while cloud.device_id != name:
        await asyncio.sleep(0.01)


class Enough(Exception):
    """Ends what goes on for ever."""


def followed(known: Enrolment, unix_us: int, fails: bool) -> list[str]:
    """What happens in three rounds of `follow`."""
    happened: list[str] = []
    rounds = iter([unix_us] * 3)

    def next_round() -> int:
        try:
            return next(rounds)
        except StopIteration:
            raise Enough from None

    clock = BoardClock(lambda: 0.0, next_round, lambda: True)

    async def adopt(identity: Identity | None) -> None:
        happened.append(f"adopted {identity and identity.device_id}")

    async def command(name: str, enrolment: Enrolment, directory: Path) -> None:
        happened.append(name)
        if fails:
            raise IdentityError("the service cannot be reached")

    with pytest.raises(Enough):
        watch = identity_watch.IdentityWatch(known, adopt, lambda: False, clock=clock, command=command)
        asyncio.run(watch.follow(None, look_s=0.0))
    return happened


@pytest.mark.parametrize("fails", [False, True])
def test_a_due_certificate_is_renewed_once_an_hour_at_most(
    tmp_path: Path, fails: bool, caplog: pytest.LogCaptureFixture
) -> None:
    IdentityFile([tmp_path]).write(tmp_path, IDENTITY)
    loaded = settings(tmp_path)
    assert followed(enrolment(loaded), NOW_US, fails) == ["adopted kitchen"]
    with caplog.at_level(logging.WARNING):
        assert followed(enrolment(loaded), NOW_US + LIFE_US * 3 // 4, fails) == ["adopted kitchen", "renew"]
    assert ("parrotlet-edge renew: the service cannot be reached" in caplog.text) is fails


def test_a_file_that_is_broken_while_the_board_runs_is_told_once_a_fault(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    file = IdentityFile([tmp_path]).write(tmp_path, IDENTITY)
    whole = file.read_bytes()
    known = enrolment(settings(tmp_path))
    contents = iter([b"{", b"{", b"[", whole, b"[", b"["])
    happened: list[str] = []

    async def adopt(identity: Identity | None) -> None:
        happened.append(f"adopted {identity and identity.device_id}")

    class Changing(Enrolment):
        def identity(self) -> Identity | None:
            try:
                file.write_bytes(next(contents))
            except StopIteration:
                raise Enough from None
            # As if it had been replaced, whatever the file system's clock is good for.
            return IdentityFile([tmp_path]).read()

    with pytest.raises(Enough):
        asyncio.run(identity_watch.IdentityWatch(Changing(*known), adopt, lambda: False).follow(IDENTITY, look_s=0.0))
    assert [record.levelname for record in caplog.records] == ["ERROR"] * 3
    assert happened == ["adopted None", "adopted kitchen", "adopted None"]


def test_the_daemon_renews_by_a_process_of_its_own(closed: ClosedService, tmp_path: Path) -> None:
    before = closed.identity("loft")
    file = IdentityFile([tmp_path])
    file.write(tmp_path, before)
    asyncio.run(identity_watch.run_command("renew", enrolment(settings(tmp_path)), tmp_path))
    after = file.read()
    assert after is not None
    assert after.key != before.key
    assert closed.lets_in(after)
    closed.authority.revoke("loft")
    with pytest.raises(IdentityError, match="The board loft was revoked"):
        asyncio.run(identity_watch.run_command("renew", enrolment(settings(tmp_path)), tmp_path))
    assert file.read() == after


def test_a_service_that_moved_is_found_by_its_key(
    closed: ClosedService, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is announced is believed only where the key is."""
    file = IdentityFile([tmp_path])
    file.write(tmp_path, msgspec.structs.replace(closed.identity("den"), address="127.0.0.1:9"))
    with closed_service(tmp_path / "other", Clock()) as other:
        announced = [
            Found(name, address, address, "") for name, address in (("a", other.address), ("b", closed.address))
        ]
        monkeypatch.setattr("edge.keys.discovery.services", lambda: announced[:1])
        said = CliRunner().invoke(main, ["locate", "--state-dir", str(tmp_path)])
        assert (said.exit_code, said.stderr.splitlines()[-1][:40]) == (2, "The service that this board enrolled wit")
        monkeypatch.setattr("edge.keys.discovery.services", lambda: announced)
        said = CliRunner().invoke(main, ["locate", "--state-dir", str(tmp_path)])
    assert said.stdout == f"The service is at {closed.address}.\n"
    moved = file.read()
    assert moved is not None
    assert moved.address == str(closed.address)


@pytest.mark.parametrize(("given", "looked_for"), [(False, ["locate"]), (True, [])])
def test_a_service_that_is_away_is_looked_for_unless_its_owner_said_where_it_is(
    tmp_path: Path, given: bool, looked_for: list[str]
) -> None:
    IdentityFile([tmp_path]).write(tmp_path, IDENTITY)
    known = enrolment(settings(tmp_path, **({"cloud__address": IDENTITY.address} if given else {})))
    now_s = iter([0.0, 0.0, identity_watch.LOST_S - 1, identity_watch.LOST_S + 1, identity_watch.LOST_S + 3])
    happened: list[str] = []

    async def adopt(identity: Identity | None) -> None:
        pass

    async def command(name: str, enrolment: Enrolment, directory: Path) -> None:
        happened.append(name)

    clock = BoardClock(lambda: next(now_s), lambda: NOW_US, lambda: True)
    watch = identity_watch.IdentityWatch(known, adopt, lambda: True, clock=clock, command=command)
    with pytest.raises(RuntimeError, match="StopIteration"):
        asyncio.run(watch.follow(None, look_s=0.0))
    assert happened == looked_for


class Told:
    """A Listener."""

    def __init__(self) -> None:
        self.outcome: Future[Answer | CloudError] = Future()

    def hear_partial(self, partial: Partial) -> None:
        pass

    def hear_turn(self, opinion: Opinion) -> None:
        pass

    def settle(self, outcome: Answer | CloudError) -> None:
        self.outcome.set_result(outcome)

    def improve(self, answer: Answer) -> None:
        pass


def test_what_a_board_hears_while_it_is_shut_out_is_kept_and_answered_when_it_is_let_in_again(
    closed: ClosedService, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(identity_watch, "LOOK_S", 0.02)
    monkeypatch.setattr(link, "PROBE_S", (0.02, 0.05))
    file = IdentityFile([tmp_path])
    file.write(tmp_path, closed.identity("study"))
    closed.authority.revoke("study")
    loaded = settings(tmp_path, spool__replay_jitter_s_max=0)
    coding, answered = kept_frames.coding(DEFAULT_SPEC), threading.Event()

    def on_event(event: Event) -> None:
        if event.kind is Kind.LATE:
            answered.set()

    clock, chain = BoardClock(), chain_of(loaded)
    with (
        Spool(
            tmp_path / "spool.db", loaded.settings.spool, boot_id="b", coding=coding, hop_ms=10, on_event=on_event
        ) as spool,
        Keeping(chain, spool, DEFAULT_SPEC, clock) as keeping,
    ):
        told = Told()
        now = msgspec.structs.replace(head(), started_monotonic_s=clock.monotonic_s())
        stream = keeping.start(now, told)
        stream.send(frames(0))
        stream.finish(END)
        outcome = told.outcome.result(WAIT_S)
        (service,) = chain.services()
        assert "The board study was revoked" in str(service.down)
        assert service.known_as == "study"
        assert isinstance(outcome, CloudError)
        assert "The board study was revoked" in str(outcome)
        assert str(outcome).endswith("It is kept, and will be sent.")
        file.write(tmp_path, closed.identity("study"))
        assert answered.wait(WAIT_S)

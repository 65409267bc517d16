"""Models for boards at the service: offered, told, sent in pieces, taken back."""

import asyncio
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any, cast

import grpc
import msgspec
import pytest
from click.testing import CliRunner

from benchmarks import path
from cloud.__main__ import main
from cloud.changing.board_operations import FILE_NAME as BOARD_MODELS
from cloud.changing.board_operations import BoardOperations
from cloud.changing.canary import is_chosen
from cloud.changing.offers import Offers
from cloud.changing.rollout import Subject
from cloud.changing.rollout_store import RolloutStore
from cloud.client_stream import Context
from cloud.fetching import FETCHES_MAX, Fetching
from cloud.places import Places
from cloud.request_stream import Refusal
from cloud.settings import CloudSettings, Storage
from common.errors import RolloutError
from protos import speech_pb2, speech_pb2_grpc
from protos.model_card import CARD_FILE, MODEL_FILE, read_model_card, write_model_card
from protos.model_package import PIECE_BYTES_MAX, read_package, unpacked
from tests.board_models import version

WAIT_S = 60
PADDING = 5 * PIECE_BYTES_MAX
CHOSEN = {is_chosen(board, 1, 0.3): board for board in ("hall", "attic", "shed", "porch", "den", "bath", "loft")}
"""A board of the first three tenths, and one that is not."""


@pytest.fixture
def settings(tmp_path: Path) -> CloudSettings:
    return CloudSettings(storage=Storage(state_dir=tmp_path / "state"))


@pytest.fixture
def owner(settings: CloudSettings) -> BoardOperations:
    return BoardOperations(settings, "ann")


@pytest.fixture
def offers(settings: CloudSettings) -> Iterator[Offers]:
    with Offers(settings.storage) as made:
        yield made


class Caller:
    """A context without a certificate."""

    def __init__(self) -> None:
        self.pieces: list[speech_pb2.ModelPiece] = []
        self.reads = asyncio.Event()
        self.reads.set()

    def auth_context(self) -> dict[str, list[bytes]]:
        return {}

    async def write(self, data: bytes) -> None:
        await self.reads.wait()
        self.pieces.append(speech_pb2.ModelPiece.FromString(data))


def asked(board: str = "hall", name: str = "tones", version: str = "2", offset: int = 0) -> bytes:
    request = speech_pb2.FetchModelRequest(device_id=board, name=name, version=version, offset=offset)
    return request.SerializeToString()


async def fetched(
    offers: Offers, data: bytes, *, fetching: Fetching | None = None, caller: Caller | None = None
) -> list[speech_pb2.ModelPiece]:
    await offers.look()
    caller = caller or Caller()
    fetching = fetching or Fetching(offers, pause_s=0, spoken_pause_s=0)
    await fetching.fetch(data, Places(streams_max=4), cast(Context, caller))
    return caller.pieces


def refusal(offers: Offers, data: bytes, **given: Any) -> tuple[grpc.StatusCode, str]:
    with pytest.raises(Refusal) as caught:
        asyncio.run(fetched(offers, data, **given))
    return caught.value.code, caught.value.sentence


def told(offers: Offers, board: str | None) -> list[str]:
    asyncio.run(offers.look())
    return [f"{model.name} {model.version}" for model in offers.offered(board)]


def test_what_is_offered_to_some_boards_is_told_to_these_then_to_all(
    tmp_path: Path, owner: BoardOperations, offers: Offers
) -> None:
    assert told(offers, "hall") == []
    owner.offer(version(tmp_path, "2"), 0.3, "new")
    assert [told(offers, board) for board in (CHOSEN[True], CHOSEN[False], None)] == [["tones 2"], [], []]
    with pytest.raises(RolloutError, match=r"^tones/2 is offered to 30% of the boards already; for fewer, withdraw it"):
        owner.widen("tones", 0.2, "oh")
    owner.widen("tones", 1.0, "good")
    assert [told(offers, board) for board in (CHOSEN[False], None)] == [["tones 2"], ["tones 2"]]
    steps = [(step.who, step.action, step.candidate, step.why) for step in owner.history()]
    assert steps == [("ann", "canary", "tones/2", "new"), ("ann", "promote", "tones/2", "good")]


def test_who_offers_the_same_once_more_changes_nothing(tmp_path: Path, owner: BoardOperations) -> None:
    """Whoever was killed before they were told."""
    folder = version(tmp_path, "2")
    assert owner.offer(folder, 0.3, "new") == owner.offer(folder, 0.3, "new")
    with pytest.raises(RolloutError, match="being tried already"):
        owner.offer(folder, 0.4, "new")
    owner.withdraw("tones", "enough")
    assert owner.offer(folder, 1.0, "new") == owner.offer(folder, 1.0, "new")
    assert [step.action for step in owner.history()] == ["canary", "rollback", "shadow", "promote"]


def test_a_model_that_no_board_takes_is_not_offered(tmp_path: Path, owner: BoardOperations) -> None:
    folder = version(tmp_path, "2")
    card = msgspec.json.decode((folder / "card.json").read_bytes())
    (folder / "card.json").write_bytes(msgspec.json.encode({**card, "kind": "speech"}))
    with pytest.raises(RolloutError, match=r"a model for speech; boards take models for commands alone\.$"):
        owner.offer(folder, 1.0, "new")
    assert owner.history() == []


def test_who_names_what_is_not_offered_is_told_what_is(tmp_path: Path, owner: BoardOperations) -> None:
    for step in (lambda: owner.widen("tones", 0.5, "x"), lambda: owner.withdraw("tones", "x")):
        with pytest.raises(RolloutError, match=r"^Boards are offered no model called tones; they are: none\.$"):
            step()
    with pytest.raises(RolloutError, match="no model called tones"):
        owner.history("tones")
    owner.offer(version(tmp_path, "2"), 1.0, "new")
    with pytest.raises(RolloutError, match=r"^tones/2 is offered to all boards already\.$"):
        owner.widen("tones", 0.5, "x")
    with pytest.raises(RolloutError, match=r"called tone; they are: tones\.$"):
        owner.withdraw("tone", "x")


def test_who_was_killed_between_offering_to_all_and_promoting_goes_on(
    tmp_path: Path, owner: BoardOperations, settings: CloudSettings
) -> None:
    folder = version(tmp_path, "2")
    package = read_package(folder)
    with closing(RolloutStore(settings.storage.state_dir / BOARD_MODELS)) as store:
        store.begin(Subject("board", "tones"), "tones/2", package.sha256, who="ann", why="new")
    assert owner.offer(folder, 1.0, "new").state == "promoted"
    assert [step.action for step in owner.history()] == ["shadow", "promote"]


def test_what_is_taken_back_is_told_as_withdrawn_and_the_one_before_is_offered_again(
    tmp_path: Path, owner: BoardOperations, offers: Offers
) -> None:
    first, second = (version(tmp_path, name) for name in ("2", "3"))
    owner.offer(first, 1.0, "new")
    owner.offer(second, 1.0, "newer")
    assert told(offers, "hall") == ["tones 3"]
    assert offers.withdrawn == []
    owner.withdraw("tones", "bad")
    assert told(offers, "hall") == ["tones 2"]
    assert offers.withdrawn == [read_package(second).sha256]
    owner.offer(second, 1.0, "good after all")
    assert told(offers, "hall") == ["tones 3"]
    assert offers.withdrawn == []


def renamed(folder: Path, name: str) -> Path:
    made = version(folder, "6")
    card = read_model_card(made / CARD_FILE)
    write_model_card(made / CARD_FILE, msgspec.structs.replace(card, name=name))
    return made


def test_a_version_stays_what_it_is(tmp_path: Path, owner: BoardOperations, offers: Offers) -> None:
    owner.offer(version(tmp_path, "2"), 1.0, "new")
    owner.withdraw("tones", "bad")
    with pytest.raises(RolloutError, match="give this one another version in its card"):
        owner.offer(version(tmp_path / "other", "2", padding=1), 1.0, "other bytes")
    with pytest.raises(RolloutError, match="not that of model"):
        broken = version(tmp_path, "4")
        (broken / MODEL_FILE).write_bytes(b"other")
        owner.offer(broken, 1.0, "broken")
    with pytest.raises(RolloutError, match="features that no board sends"):
        owner.offer(version(tmp_path, "5", feature_spec_fingerprint="logmel0"), 1.0, "deaf")
    with pytest.raises(RolloutError, match="no name of a model"):
        owner.offer(renamed(tmp_path, "../up"), 1.0, "elsewhere")


def test_what_was_changed_after_it_had_been_offered_is_offered_no_more(
    tmp_path: Path, settings: CloudSettings, owner: BoardOperations, offers: Offers, caplog: pytest.LogCaptureFixture
) -> None:
    owner.offer(version(tmp_path, "2"), 1.0, "new")
    card = settings.storage.board_models_dir / "tones" / "2" / CARD_FILE
    card.write_bytes(card.read_bytes() + b" ")
    assert told(offers, "hall") == []
    assert "was changed after it had been offered" in caplog.text


@pytest.mark.parametrize("offset", [0, 1, PIECE_BYTES_MAX, PADDING, None])
def test_pieces_from_any_offset_are_the_rest_of_the_model(
    tmp_path: Path, owner: BoardOperations, offers: Offers, offset: int | None
) -> None:
    folder = version(tmp_path, "2", padding=PADDING)
    owner.offer(folder, 1.0, "new")
    whole = read_package(folder).content
    offset = len(whole) if offset is None else offset
    pieces = asyncio.run(fetched(offers, asked(offset=offset)))
    assert b"".join(piece.data for piece in pieces) == whole[offset:]
    at = offset
    for piece in pieces:
        assert piece.offset == at
        assert len(piece.data) <= PIECE_BYTES_MAX
        at += len(piece.data)


@pytest.mark.parametrize(
    ("data", "code", "words"),
    [
        (b"\xff", "INVALID_ARGUMENT", "not a parrotlet.v1.FetchModelRequest"),
        (asked(board=""), "INVALID_ARGUMENT", "device_id ''"),
        (asked(name="../x"), "INVALID_ARGUMENT", "name '../x'"),
        (asked(offset=10**9), "INVALID_ARGUMENT", "the offset 1000000000"),
        (asked(version="9"), "FAILED_PRECONDITION", "hall is not offered tones 9."),
        (asked(name="home-v1"), "FAILED_PRECONDITION", "hall is not offered home-v1 2."),
    ],
)
def test_what_cannot_be_had_is_refused_with_a_sentence(
    tmp_path: Path, owner: BoardOperations, offers: Offers, data: bytes, code: str, words: str
) -> None:
    owner.offer(version(tmp_path, "2"), 1.0, "new")
    status, sentence = refusal(offers, data)
    assert (status.name, words in sentence) == (code, True)


def test_a_board_that_is_not_chosen_does_not_get_it(tmp_path: Path, owner: BoardOperations, offers: Offers) -> None:
    owner.offer(version(tmp_path, "2"), 0.3, "new")
    assert asyncio.run(fetched(offers, asked(CHOSEN[True])))
    status, _ = refusal(offers, asked(CHOSEN[False]))
    assert status is grpc.StatusCode.FAILED_PRECONDITION


def test_a_board_has_one_of_these_streams_and_all_boards_a_few(
    tmp_path: Path, owner: BoardOperations, offers: Offers
) -> None:
    owner.offer(version(tmp_path, "2"), 1.0, "new")

    async def scene() -> list[str]:
        fetching, waiting = Fetching(offers, pause_s=0), Caller()
        waiting.reads.clear()
        first = asyncio.create_task(fetched(offers, asked("b0"), fetching=fetching, caller=waiting))
        await asyncio.sleep(0.05)
        sentences = []
        with pytest.raises(Refusal) as caught:
            await fetched(offers, asked("b0"), fetching=fetching)
        sentences.append(caught.value.sentence)
        others = [
            asyncio.create_task(fetched(offers, asked(f"b{number}"), fetching=fetching, caller=waiting))
            for number in range(1, FETCHES_MAX)
        ]
        await asyncio.sleep(0.1)
        with pytest.raises(Refusal) as caught:
            await fetched(offers, asked("late"), fetching=fetching)
        sentences.append(caught.value.sentence)
        waiting.reads.set()
        await asyncio.gather(first, *others)
        assert await fetched(offers, asked("late"), fetching=fetching)
        return sentences

    assert asyncio.run(scene()) == ["This device fetches a model already.", f"{FETCHES_MAX} devices fetch models."]


def test_who_does_not_read_is_let_go(tmp_path: Path, owner: BoardOperations, offers: Offers) -> None:
    owner.offer(version(tmp_path, "2"), 1.0, "new")

    async def scene() -> None:
        deaf = Caller()
        deaf.reads.clear()
        with pytest.raises(TimeoutError):
            await fetched(offers, asked(), fetching=Fetching(offers, idle_s_max=0.02, pause_s=0), caller=deaf)

    asyncio.run(scene())


def test_it_steps_back_for_who_speaks(tmp_path: Path, owner: BoardOperations, offers: Offers) -> None:
    owner.offer(version(tmp_path, "2", padding=PADDING), 1.0, "new")

    async def scene() -> tuple[int, int]:
        await offers.look()
        fetching, caller, places = Fetching(offers, pause_s=0, spoken_pause_s=60), Caller(), Places(streams_max=4)
        with places.take("kitchen", replayed=False):
            task = asyncio.create_task(fetching.fetch(asked(), places, cast(Context, caller)))
            await asyncio.sleep(0.05)
            while_spoken = len(caller.pieces)
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
        await fetching.fetch(asked(), places, cast(Context, caller))
        return while_spoken, len(caller.pieces)

    while_spoken, after = asyncio.run(scene())
    assert while_spoken == 0
    assert after > 5


def test_a_stop_ends_it(tmp_path: Path, owner: BoardOperations, offers: Offers) -> None:
    owner.offer(version(tmp_path, "2"), 1.0, "new")
    fetching = Fetching(offers, pause_s=0)
    fetching.close()
    assert refusal(offers, asked(), fetching=fetching)[0] is grpc.StatusCode.UNAVAILABLE


def test_a_running_service_tells_and_sends_what_its_owner_offers_by_commands(tmp_path: Path) -> None:
    folder = version(tmp_path, "2", padding=PADDING)
    state = tmp_path / "state"

    def command(*words: str) -> str:
        environment = {"PARROTLET_CLOUD_STORAGE_STATE_DIR": str(state)}
        result = CliRunner().invoke(main, ["models", "boards", *words], env=environment)
        assert result.exit_code == 0, result.output
        return result.stdout

    assert (
        command("offer", str(folder), "--share", "0.3", "--why", "new") == "tones/2 is offered to 30% of the boards.\n"
    )
    with (
        path.service(state, decoding_whisper="false", decoding_workers="1", domains_serve="coffee") as service,
        grpc.insecure_channel(service.address) as channel,
    ):
        stub = speech_pb2_grpc.SpeechStub(channel)

        def described(board: str) -> speech_pb2.DescribeResponse:
            return stub.Describe(speech_pb2.DescribeRequest(device_id=board), timeout=WAIT_S)

        assert list(described(CHOSEN[False]).board_models) == []
        (offered,) = described(CHOSEN[True]).board_models
        request = speech_pb2.FetchModelRequest(device_id=CHOSEN[True], name="tones", version="2", offset=7)
        pieces = list(stub.FetchModel(request, timeout=WAIT_S))
        content = read_package(folder).content
        assert b"".join(piece.data for piece in pieces) == content[7:]
        package = unpacked(content, offered.card_bytes_count)
        assert (package.sha256, offered.bytes_count, offered.kind) == (offered.sha256, len(content), "commands")
        assert command("list").splitlines() == ["tones: nothing is offered to all boards", "  tones/2 to 30% of them"]
        command("widen", "tones", "--why", "good")
        command("withdraw", "tones", "--why", "bad")
        assert [line.split("  ", 2)[-1] for line in command("history").splitlines()] == [
            "offer tones/2 to 30% of the boards: new",
            "offer tones/2 to all boards: good",
            "withdraw tones/2: bad",
        ]

"""Which boards belong together, and what several of them have heard: done once, whoever dies when."""

import asyncio
from pathlib import Path

import pytest

from cloud.claims import OwnClaim, OwnClaims
from cloud.groups import Groups
from cloud.log.answer_log import Key, Occasion, Span, SqliteAnswerLog
from cloud.settings import CloudSettings, Group
from cloud.twins import KEPT_S_MAX, Twins
from common.errors import SettingsError
from common.settings import load
from protos import speech_pb2
from tests.group_service import ELSEWHERE, HOME, SPOKEN, answered, group_service

GROUPS = (HOME, ELSEWHERE)


def loaded(directory: Path, text: str) -> Groups:
    file = directory / "cloud.toml"
    file.write_text(text)
    settings = load(CloudSettings, file=file, environment={}, environment_prefix="X").settings
    return Groups(settings.boards.groups)


def test_groups_are_set_by_the_names_of_boards(tmp_path: Path) -> None:
    text = """
        [[boards.groups]]
        name = "home"
        devices = ["kitchen", "hall"]
        [[boards.groups]]
        name = "bert"
        devices = ["desk.phone-ab12"]
    """
    groups = loaded(tmp_path, text)
    assert [groups.of(name) for name in ("kitchen", "hall", "attic", "kitchens")] == ["home", "home", None, None]
    # A phone without a board is where its machine is; or where it is named itself, and then the others are nowhere.
    assert groups.of("kitchen.phone-cd34") == "home"
    assert [groups.of(name) for name in ("desk.phone-ab12", "desk.phone-cd34", "desk")] == ["bert", None, None]


@pytest.mark.parametrize(
    ("groups", "words"),
    [
        ('name = "a"\ndevices = ["k"]\n[[boards.groups]]\nname = "b"\ndevices = ["k"]', "k is in a and in b; a board"),
        ('name = "a"\ndevices = ["k"]\n[[boards.groups]]\nname = "a"\ndevices = ["l"]', "two groups called a"),
        ('name = "a"\ndevices = ["living room"]', "'living room' in a cannot be a board's name"),
        ('name = "a"\ndevices = [""]', "'' in a cannot be a board's name"),
        ('name = "a"\ndevices = []', "must be a list of texts, 1 of them at least"),
        ('name = ""\ndevices = ["k"]', "boards.groups"),
        ('devices = ["k"]', "lacks name"),
    ],
)
def test_groups_that_cannot_be_are_refused_with_a_sentence(tmp_path: Path, groups: str, words: str) -> None:
    with pytest.raises(SettingsError, match=words) as caught:
        loaded(tmp_path, f"[[boards.groups]]\n{groups}")
    assert "\n" not in str(caught.value)


def moved(occasion: Occasion = SPOKEN, by_ms: int = 0, **changes: object) -> Occasion:
    later = occasion._replace(
        spoken_at_unix_us=(occasion.spoken_at_unix_us or 0) + 1000 * by_ms,
        ended_at_unix_us=(occasion.ended_at_unix_us or 0) + 1000 * by_ms,
    )
    return later._replace(**changes)  # type: ignore[arg-type]


def marked(twins: Twins, device: str, utterance: str, final: str | speech_pb2.Final, occasion: Occasion) -> str | None:
    made = speech_pb2.Final(transcript=final) if isinstance(final, str) else final
    twins.mark(Key(device, utterance), made, occasion)
    return f"{made.twin.device_id}/{made.twin.utterance_id} {made.twin.heard_best}" if made.HasField("twin") else None


def test_the_first_to_be_answered_acts_and_the_second_knows_who_and_who_heard_best() -> None:
    twins = Twins(Groups(GROUPS))
    assert marked(twins, "kitchen", "u1", "lights on", SPOKEN) is None
    assert marked(twins, "hall", "u2", "Lights on.", moved(by_ms=300, snr_db=30.0)) == "kitchen/u1 hall"
    assert marked(twins, "desk.phone-ab", "u3", "lights on", moved(by_ms=-200, snr_db=None)) == "kitchen/u1 hall"
    # The same board again is somebody who says it again.
    assert marked(twins, "kitchen", "u4", "lights on", moved(by_ms=10)) == "hall/u2 hall"


@pytest.mark.parametrize(
    ("device", "said", "occasion"),
    [
        ("kitchen", "lights on", moved(by_ms=300)),
        ("attic", "lights on", SPOKEN),
        ("garage", "lights on", SPOKEN),
        ("hall", "what time is it", SPOKEN),
        ("hall", "lights on", moved(by_ms=1100)),
        ("hall", "lights on", moved(duration_ms=None)),
        ("hall", "lights on", Occasion(None, None, 2000, 3.0)),
    ],
    ids=["itself", "another group", "no group", "other words", "later", "nobody knows how long", "nobody knows when"],
)
def test_what_is_something_else_is_no_twin(device: str, said: str, occasion: Occasion) -> None:
    twins = Twins(Groups(GROUPS))
    marked(twins, "kitchen", "u1", "lights on", SPOKEN)
    assert marked(twins, device, "u2", said, occasion) is None


def test_without_synchronised_clocks_the_service_s_own_counts_and_never_one_of_each() -> None:
    def is_twin(first: Occasion, second: Occasion) -> bool:
        twins = Twins(Groups(GROUPS))
        marked(twins, "kitchen", "u1", "lights on", first)
        return marked(twins, "hall", "u2", "lights on", second) is not None

    unknown = SPOKEN._replace(spoken_at_unix_us=None)
    assert is_twin(unknown, unknown)
    assert is_twin(SPOKEN, unknown)
    assert not is_twin(SPOKEN, moved(unknown, 1100, spoken_at_unix_us=None))
    # A board's clock that is synchronised is believed, whenever its sound came: it may have been sent later.
    assert is_twin(SPOKEN, SPOKEN._replace(ended_at_unix_us=None))
    assert not is_twin(SPOKEN, moved(SPOKEN, 1100, ended_at_unix_us=SPOKEN.ended_at_unix_us))
    assert not is_twin(unknown, SPOKEN._replace(ended_at_unix_us=None))


def test_what_was_meant_counts_before_what_was_written() -> None:
    def final(room: str, words: str) -> speech_pb2.Final:
        return speech_pb2.Final(transcript=words, intent=speech_pb2.Intent(name="lightOn", slots={"room": room}))

    for room, twin in (("attic", None), ("hall", "kitchen/u1 kitchen")):
        twins = Twins(Groups(GROUPS))
        marked(twins, "kitchen", "u1", final("hall", "turn on the hall light"), SPOKEN)
        assert marked(twins, "hall", "u2", final(room, "light on in the hall"), SPOKEN) == twin


def test_words_are_not_remembered_for_ever_nor_when_they_were_erased() -> None:
    now_s = 0.0
    twins = Twins(Groups(GROUPS), lambda: now_s)
    marked(twins, "kitchen", "u1", "lights on", SPOKEN)
    twins.forget("kitchen", None, Span(since_unix_us=20_000_000))
    twins.forget("hall", None, Span())
    assert marked(twins, "hall", "u2", "lights on", SPOKEN) == "kitchen/u1 kitchen"
    twins.forget("kitchen", "u1", Span())
    assert marked(twins, "desk", "u3", "lights on", SPOKEN) == "hall/u2 hall"
    now_s = KEPT_S_MAX + 1
    assert marked(twins, "kitchen", "u5", "lights on", SPOKEN) is None


def test_of_many_that_are_answered_at_the_same_moment_one_acts(tmp_path: Path) -> None:
    async def scene() -> list[speech_pb2.Final]:
        groups = Groups([Group("home", tuple(f"b{number}" for number in range(20)))])
        with SqliteAnswerLog(tmp_path / "answers.db") as log:
            claims = OwnClaims(log, Twins(groups))
            return await asyncio.gather(*(answered(claims, f"b{n}", f"u{n}", "lights on", SPOKEN) for n in range(20)))

    finals = asyncio.run(scene())
    assert [final.HasField("twin") for final in finals].count(False) == 1
    assert len({final.twin.device_id for final in finals if final.HasField("twin")}) == 1


def test_after_a_restart_the_log_knows_who_acted_and_a_key_asked_again_has_the_same_answer(tmp_path: Path) -> None:
    with group_service(tmp_path) as service:
        first = service.answer("kitchen", "u1", "lights on", SPOKEN)
        second = service.answer("hall", "u2", "lights on", moved(by_ms=100))
        assert (first.HasField("twin"), second.twin.utterance_id) == (False, "u1")
    with group_service(tmp_path) as service:
        assert service.answer("desk", "u3", "lights on", moved(by_ms=200, snr_db=40.0)).twin == speech_pb2.Twin(
            device_id="kitchen", utterance_id="u1", heard_best="desk"
        )
        again = service.answer("hall", "u2", "asked again", moved(by_ms=100))
        assert (again.from_log, again.transcript, again.twin) == (True, "lights on", second.twin)
        assert not service.answer("kitchen", "u1", "asked again", SPOKEN).HasField("twin")


def test_where_nobody_set_groups_nobody_has_a_twin(tmp_path: Path) -> None:
    with group_service(tmp_path, ()) as service:
        service.answer("kitchen", "u1", "lights on", SPOKEN)
        assert not service.answer("kitchen.phone-ab", "u2", "lights on", SPOKEN).HasField("twin")


def test_what_its_board_had_erased_is_compared_with_nothing(tmp_path: Path) -> None:
    with group_service(tmp_path) as service:
        service.answer("kitchen", "u1", "lights on", SPOKEN)
        service.forget("kitchen")
        assert not service.answer("hall", "u2", "lights on", SPOKEN).HasField("twin")

        async def forgotten_in_work() -> speech_pb2.Final:
            claim = await service.claims.claim(Key("desk", "u3"), 1, SPOKEN.spoken_at_unix_us)
            assert isinstance(claim, OwnClaim)
            await service.claims.forget("desk", "u3", Span())

            async def finish() -> speech_pb2.Final:
                return speech_pb2.Final(transcript="lights off")

            with claim:
                return await claim.finish(finish(), SPOKEN)

        service.run(forgotten_in_work())
        assert not service.answer("hall", "u4", "lights off", SPOKEN).HasField("twin")

import uuid

from edge.clock import Clock
from edge.session import Session, new_utterance_id


def test_ids_are_uuids_that_sort_by_time_and_never_repeat() -> None:
    earlier = [new_utterance_id(1_700_000_000_000_000) for _ in range(500)]
    later = [new_utterance_id(1_700_000_000_001_000) for _ in range(500)]
    assert max(earlier) < min(later)
    assert len({*earlier, *later}) == 1000
    made = uuid.UUID(earlier[0])
    assert (made.version, made.variant) == (7, uuid.RFC_4122)
    assert made.int >> 80 == 1_700_000_000_000


def test_utterances_are_numbered_through_from_0() -> None:
    session = Session("one", Clock(monotonic_s=lambda: 1.0))
    assert [session.next_number() for _ in range(3)] == [0, 1, 2]
    assert session.id == "one"
    assert Session().id != Session().id

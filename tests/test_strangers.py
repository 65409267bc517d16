"""The short form of `scripts/strangers`: strangers at a service without engines, boards at one that has them, few
connections and some hundreds of calls."""

from pathlib import Path

from benchmarks.mutants import calls
from benchmarks.strange_boards import from_boards, made_up
from benchmarks.strange_messages import Met
from benchmarks.strangers import all_tries
from benchmarks.tried_service import Target, own_service
from tests.closed_service import Clock, closed_service
from tests.conftest import Built


def test_each_stranger_meets_what_he_should_and_boards_are_answered(tmp_path: Path) -> None:
    with closed_service(tmp_path, Clock()) as service:
        service.authority.open_code(60_000_000)
        assert service.enrolment_is_open(True)
        tries = list(all_tries(Target(service.address, service.enrol_address, service.authority), connections=50))
    assert [each for each in tries if each.met != each.wanted] == []
    assert len(tries) >= 15


def test_no_board_brings_down_the_service_by_what_it_says(tmp_path: Path, built: Built) -> None:
    met = Met()
    with own_service(built(tmp_path)) as (target, service):
        tries = list(from_boards(target, number=20))
        tries += made_up(target, service.process.pid, calls(300, seed=1), met)
    assert [each for each in tries if each.met != each.wanted] == []
    assert met.faults == []
    assert met.statuses.total() == 300
    # Not by refusing everything, nor by letting everything in.
    assert {"OK", "INVALID_ARGUMENT"} <= {status for _, status in met.statuses}
    assert not any("Traceback" in line for line in service.log)


def test_a_seed_gives_the_same_calls_again() -> None:
    assert list(calls(200, seed=3)) == list(calls(200, seed=3))
    assert list(calls(200, seed=3)) != list(calls(200, seed=4))

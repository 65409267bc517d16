"""The short form of `scripts/strangers`: each stranger at a service without engines, with few connections."""

from pathlib import Path

from benchmarks.strangers import Target, all_tries
from tests.closed_service import Clock, closed_service


def test_each_stranger_meets_what_he_should_and_boards_are_answered(tmp_path: Path) -> None:
    with closed_service(tmp_path, Clock()) as service:
        service.authority.open_code(60_000_000)
        assert service.enrolment_is_open(True)
        tries = list(all_tries(Target(service.address, service.enrol_address, service.authority), connections=50))
    assert [each for each in tries if each.met != each.wanted] == []
    assert len(tries) >= 15

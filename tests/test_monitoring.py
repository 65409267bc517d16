"""What is told to whoever supervises: figures by HTTP, whether it is well, and the rules and the dashboard that ask."""

import asyncio
import json
import re
import socket
import time
import urllib.error
import urllib.request
from contextlib import suppress
from pathlib import Path
from typing import Any

import grpc
import msgspec
import pytest
import yaml
from prometheus_client.parser import text_string_to_metric_families

from benchmarks import path
from benchmarks.victims import free_port
from cloud.metrics import Metrics
from cloud.monitoring import monitoring
from cloud.utterance import Utterance
from cloud.web_port import web_port
from common.addresses import Address, parse_address
from common.errors import SettingsError
from edge.asking.answer import Answer, Partial
from edge.asking.exchange import Exchange
from edge.board.metrics import metrics_text
from edge.board.monitoring import Monitoring
from edge.board.tally import Tally
from edge.spool.event import Event, Kind
from protos import speech_pb2, speech_pb2_grpc
from protos.feature_spec import DEFAULT_SPEC
from tests.conftest import Built
from tests.test_service import END, config, levels, spoken, utterance

ROOT = Path(__file__).parent.parent
NAME = re.compile(r"parrotlet_[a-z_]+")

SAID: dict[str, Any] = {
    "healthy": True,
    "ailment": None,
    "uptime_s": 60.0,
    "utterances": {"heard": 3, "answered": 2, "awaited": 0},
    "microphone": {"silent_s": 0.02, "overruns": 1, "state": "open"},
    "temperature_c": 40.0,
    "services": [{"path": "cloud", "down": None}],
    "spool": {"waiting": 1, "quarantined": 0, "bytes": 900, "oldest_at_unix_us": 40_000_000, "dropped": 2},
    "tally": Tally().said(),
}


class Workers:
    name = "pocketsphinx"
    pids = (1, 2)
    missing = 1
    waiting = 3


class Kept:
    trouble = None
    lost = 0


def told(metrics: Metrics) -> dict[str, float]:
    """By name and labels, as Prometheus reads them."""
    return {
        sample.name + "".join(f" {value}" for _, value in sorted(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(metrics.text().decode())
        for sample in family.samples
    }


def an_utterance(final: speech_pb2.Final, **end: Any) -> Utterance:
    now = iter([0.0, 0.4, 1.9, 2.0])
    one = Utterance(config("u1").config, DEFAULT_SPEC, clock=lambda: next(now))
    one.hear(levels())
    one.hear(levels())
    one.show()
    one.close(speech_pb2.UtteranceEnd(reason="END_REASON_ENDPOINT", speech_end_ms=1500, **end))
    one.answer(final)
    return one


def service_metrics() -> Metrics:
    return Metrics([Workers()], Kept(), lambda: 4, {"heard": 7, "shed": 2})  # type: ignore[list-item]


def test_a_service_counts_what_people_wait_for_and_what_they_get() -> None:
    metrics = service_metrics()
    engine = speech_pb2.Engine(name="whisper")
    metrics.answered(an_utterance(speech_pb2.Final(transcript="hello", engine=engine, confidence=0.72), snr_db=12))
    metrics.answered(an_utterance(speech_pb2.Final(engine=engine), overruns=2))
    both = [speech_pb2.Choice(), speech_pb2.Choice()]
    metrics.answered(an_utterance(speech_pb2.Final(transcript="lights", choices=both, engine=engine)))
    metrics.refused("RESOURCE_EXHAUSTED")
    metrics.judged(speech_pb2.FeedbackRequest(verdict="VERDICT_WRONG", transcript="hullo"))
    figures = told(metrics)
    assert figures["parrotlet_cloud_utterances_total  whisper none live"] == 3
    assert figures["parrotlet_cloud_ends_total endpoint"] == 3
    assert figures["parrotlet_cloud_empty_answers_total"] == 1
    assert figures["parrotlet_cloud_not_understood_total"] == 1
    assert figures["parrotlet_cloud_confirmations_total"] == 1
    assert figures["parrotlet_cloud_board_overruns_total"] == 2
    assert figures["parrotlet_cloud_refusals_total resource_exhausted"] == 1
    assert figures["parrotlet_cloud_feedback_total wrong"] == figures["parrotlet_cloud_corrections_total"] == 1
    assert figures["parrotlet_cloud_end_to_final_seconds_bucket whisper 0.15"] == 3
    assert figures["parrotlet_cloud_begin_to_words_seconds_bucket 0.5"] == 3
    assert figures["parrotlet_cloud_begin_to_words_seconds_bucket 0.3"] == 0
    # Two seconds of frames, of which speech was one and a half.
    assert figures["parrotlet_cloud_turn_end_seconds_bucket 0.5"] == 3
    assert figures["parrotlet_cloud_turn_end_seconds_bucket 0.4"] == 0
    assert figures["parrotlet_cloud_snr_decibels_count"] == 1
    assert figures["parrotlet_cloud_workers pocketsphinx"] == 2
    assert figures["parrotlet_cloud_waiting pocketsphinx"] == 3
    assert figures["parrotlet_cloud_in_work"] == 4
    assert figures["parrotlet_cloud_shadow_total heard"] == 7 and figures["parrotlet_cloud_shadow_total shed"] == 2


def asked(metrics: Metrics, at_s: float, words: str, *, board: str = "kitchen", replayed: bool = False) -> float:
    """Asks by a stream that begins then, and is answered two seconds later; how many re-asks are counted now."""
    now = iter([at_s, at_s + 1.9, at_s + 2.0])
    one = Utterance(config(f"u-{at_s}").config, DEFAULT_SPEC, clock=lambda: next(now))
    one.config.device_id, one.config.replayed = board, replayed
    one.close(speech_pb2.UtteranceEnd(reason="END_REASON_ENDPOINT"))
    one.answer(speech_pb2.Final(transcript=words, confidence=0.9))
    metrics.answered(one)
    return told(metrics)["parrotlet_cloud_reasks_total"]


def test_who_asks_the_same_again_at_once_says_that_the_answer_was_wrong() -> None:
    metrics = service_metrics()
    assert asked(metrics, 0, "play some chess") == 0
    # Another board, later, something else: none is a re-ask.
    assert asked(metrics, 5, "play some jazz", board="hall") == 0
    assert asked(metrics, 20, "play some jazz") == 0
    assert asked(metrics, 25, "and what is the weather like tomorrow") == 0
    assert asked(metrics, 30, "what is the weather like tomorrow") == 1
    assert asked(metrics, 35, "what is the weather like tomorrow", replayed=True) == 1
    # Nothing was heard, and something follows at once.
    assert asked(metrics, 60, "") == 1
    assert asked(metrics, 65, "play some jazz") == 2


def test_nobody_waits_for_who_counts_whatever_was_said() -> None:
    metrics = service_metrics()
    for words in ("a" * 100_000, "a b " * 25_000, "1234567 " * 10_000):
        for at_s in (0, 5):
            begun_s = time.process_time()
            asked(metrics, at_s, words)
            assert time.process_time() - begun_s < 0.1


def test_what_is_sent_later_is_no_wait_of_anybody() -> None:
    metrics = service_metrics()
    late = an_utterance(speech_pb2.Final(engine=speech_pb2.Engine(name="whisper")))
    late.config.replayed = True
    metrics.answered(late)
    figures = told(metrics)
    assert figures["parrotlet_cloud_utterances_total  whisper none replayed"] == 1
    assert not any("end_to_final" in name for name in figures)


def test_no_word_and_no_id_is_a_label() -> None:
    metrics = service_metrics()
    word = speech_pb2.Word(text="canary")
    found = speech_pb2.SearchResult(id="canary", title="canary")
    final = speech_pb2.Final(transcript="canary", words=[word], results=[found])
    one = an_utterance(final)
    one.config.device_id = one.config.utterance_id = one.config.session_id = "canary"
    metrics.answered(one)
    asked(metrics, 10, "canary", board="canary")
    metrics.judged(speech_pb2.FeedbackRequest(device_id="canary", transcript="canary", given_by="canary"))
    assert "canary" not in metrics.text().decode()


class Answerer:
    """Nobody's stream."""

    wire_bytes = 0

    def start(self, head: Any, listener: Any) -> "Answerer":
        return self

    def send(self, heard: Any) -> None: ...

    def finish(self, end: Any) -> None: ...


def board_text(tally: Tally, **changes: Any) -> str:
    return metrics_text(SAID | {"tally": tally.said()} | changes, unix_s=100.0)


def test_a_board_counts_what_people_wait_for(head: Any, end: Any) -> None:
    tally, now = Tally(), iter([10.35, 12.05])
    exchange = Exchange(Answerer(), head, on_over=tally.over, clock=lambda: next(now))  # type: ignore[arg-type]
    exchange.hear_partial(Partial("lights", ""))
    exchange.finish(end)
    exchange.settle(Answer("cloud", transcript=""))
    tally.tell(Event("u1", Kind.FINAL, 0, 0))
    tally.tell(Event("u1", Kind.DONE, 0, 0))
    lines = board_text(tally).splitlines()
    for line in (
        'parrotlet_edge_answers_total{path="cloud"} 1.0',
        'parrotlet_edge_outcomes_total{kind="final"} 1.0',
        'parrotlet_edge_ends_total{reason="endpoint"} 1.0',
        "parrotlet_edge_empty_answers_total 1.0",
        'parrotlet_edge_endpoint_to_final_seconds_bucket{le="0.05"} 1.0',
        "parrotlet_edge_endpoint_to_final_seconds_sum 0.05",
        'parrotlet_edge_onset_to_words_seconds_bucket{le="0.1"} 0.0',
        'parrotlet_edge_onset_to_words_seconds_bucket{le="0.2"} 1.0',
        'parrotlet_edge_turn_end_seconds_bucket{le="0.4"} 0.0',
        'parrotlet_edge_turn_end_seconds_bucket{le="0.5"} 1.0',
        'parrotlet_edge_turn_end_seconds_bucket{le="+Inf"} 1.0',
    ):
        assert line in lines
    assert not any('kind="done"' in line for line in lines)


@pytest.fixture
def head() -> Any:
    from edge.speech.utterance import UtteranceHead

    return UtteranceHead("u1", "s1", 0, None, 0, None, 10.0, 0, "v")


@pytest.fixture
def end(head: Any) -> Any:
    from edge.speech.utterance import EndReason, cut_off

    return msgspec.structs.replace(
        cut_off(head, 2000),
        reason=EndReason.ENDPOINT,
        speech_start_ms=200,
        speech_end_ms=1550,
        last_sound_monotonic_s=11.55,
    )


def fetched(address: Address | str, what: str) -> tuple[int, str]:
    try:
        with urllib.request.urlopen(f"http://{address}{what}", timeout=10) as response:
            return response.status, response.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def test_a_board_tells_who_asks_whether_it_is_well() -> None:
    said = dict(SAID)
    with Monitoring(Address("127.0.0.1", 0), lambda: said) as port:
        assert "parrotlet_edge_healthy 1.0" in fetched(port.address, "/metrics")[1]
        assert fetched(port.address, "/healthz") == fetched(port.address, "/readyz") == (200, "well\n")
        said["microphone"] = SAID["microphone"] | {"state": "absent"}
        assert fetched(port.address, "/healthz")[0] == 200
        assert fetched(port.address, "/readyz") == (503, "The microphone is absent.\n")
        said["ailment"] = "The hearing thread is stuck."
        assert fetched(port.address, "/healthz") == (503, "The hearing thread is stuck.\n")
        assert fetched(port.address, "/spool")[0] == 404
        with pytest.raises(SettingsError, match="monitoring.listen: cannot listen on"), Monitoring(port.address, dict):
            pass
    assert port.worker.error is None and not port.worker.alive


def test_who_says_nothing_or_nonsense_holds_nobody_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("edge.board.monitoring.TIME_S_MAX", 0.2)
    with Monitoring(Address("127.0.0.1", 0), lambda: SAID) as port:
        with socket.create_connection(port.address) as silent, socket.create_connection(port.address) as mad:
            mad.sendall(b"\xff\x00nonsense\r\n\r\n")
            begun_s = time.monotonic()
            assert fetched(port.address, "/healthz")[0] == 200
            assert time.monotonic() - begun_s < 5
            assert silent.recv(1) == b""


def test_who_says_a_byte_now_and_then_has_an_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("edge.board.monitoring.TIME_S_MAX", 0.2)
    with (
        Monitoring(Address("127.0.0.1", 0), lambda: SAID) as port,
        socket.create_connection(port.address) as slow,
    ):
        slow.settimeout(0.05)
        begun_s = time.monotonic()
        with suppress(BrokenPipeError, ConnectionResetError):
            while time.monotonic() - begun_s < 5:
                with suppress(TimeoutError):
                    slow.sendall(b"G")
                    if slow.recv(1) == b"":
                        break
        assert time.monotonic() - begun_s < 1


def has_ipv6() -> bool:
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError:
        return False
    return True


@pytest.mark.skipif(not has_ipv6(), reason="a machine without IPv6")
def test_both_are_asked_by_ipv6_too() -> None:
    listen = parse_address("[::1]:0", called="monitoring.listen", port_min=0)
    with Monitoring(listen, lambda: SAID) as port:
        assert fetched(port.address, "/healthz") == (200, "well\n")

    async def service_told() -> tuple[int, str]:
        app = monitoring(service_metrics(), list, list)
        async with web_port(app, listen, "monitoring.listen") as address:
            return await asyncio.to_thread(fetched, address, "/healthz")

    assert asyncio.run(service_told()) == (200, "well\n")


def test_a_fault_of_ours_ends_the_boards_port_and_is_kept() -> None:
    def fails() -> Any:
        raise RuntimeError("a fault of ours")

    with Monitoring(Address("127.0.0.1", 0), fails) as port:
        with pytest.raises(OSError):
            fetched(port.address, "/metrics")
        port.worker.join(5)
        assert str(port.worker.error) == "a fault of ours"


def test_a_running_service_is_asked_by_http(tmp_path: Path, built: Built) -> None:
    address = f"127.0.0.1:{free_port()}"
    with path.service(built(tmp_path), decoding_whisper="false", monitoring_listen=address) as service:
        tried_by_http(service.address, address)


def tried_by_http(service: str, address: str) -> None:
    assert fetched(address, "/healthz") == fetched(address, "/readyz") == (200, "well\n")
    with grpc.insecure_channel(service) as channel:
        stub = speech_pb2_grpc.SpeechStub(channel)
        [*_, last] = stub.Recognize(utterance("u1", levels(spoken("timer"))), timeout=30)
        assert last.final.transcript
        with pytest.raises(grpc.RpcError):
            list(stub.Recognize(iter([END]), timeout=30))
        stub.Feedback(
            speech_pb2.FeedbackRequest(
                device_id="kitchen", utterance_id="u1", feedback_id="f1", verdict="VERDICT_RIGHT", given_at_unix_us=1
            ),
            timeout=30,
        )
    text = fetched(address, "/metrics")[1]
    assert 'parrotlet_cloud_refusals_total{code="invalid_argument"} 1.0' in text
    assert 'parrotlet_cloud_feedback_total{verdict="right"} 1.0' in text
    [finals] = [line for line in text.splitlines() if line.startswith("parrotlet_cloud_utterances_total{")]
    assert 'engine="pocketsphinx"' in finals and finals.endswith(" 1.0")
    assert 'parrotlet_cloud_workers{engine="pocketsphinx"}' in text


def every_metric() -> set[str]:
    metrics = service_metrics()
    text = metrics.text().decode() + board_text(Tally())
    return {
        name
        for family in text_string_to_metric_families(text)
        for name in (
            family.name,
            *([f"{family.name}_total"] if family.type == "counter" else []),
            *([f"{family.name}_{end}" for end in ("bucket", "sum", "count")] if family.type == "histogram" else []),
        )
    }


def expressions() -> dict[str, str]:
    """What rules and dashboard ask, by where."""
    rules = yaml.safe_load((ROOT / "monitoring" / "alerts.yaml").read_text())
    asked = {rule["alert"]: rule["expr"] for group in rules["groups"] for rule in group["rules"]}
    dashboard = json.loads((ROOT / "monitoring" / "dashboard.json").read_text())
    return asked | {
        f"{panel['title']} {target['refId']}": target["expr"]
        for panel in dashboard["panels"]
        for target in panel["targets"]
    }


@pytest.mark.parametrize(("where", "expression"), expressions().items())
def test_each_metric_that_is_asked_for_exists(where: str, expression: str) -> None:
    asked = set(NAME.findall(expression))
    assert asked
    assert asked <= every_metric()
    # Whoever takes a rate of what is no counter reads nonsense.
    for rated in re.findall(r"(?:rate|increase)\((parrotlet_[a-z_]+)", expression):
        assert rated.endswith(("_total", "_bucket", "_sum", "_count"))
    assert expression.count("(") == expression.count(")") and expression.count("{") == expression.count("}")


def labels_of() -> dict[str, set[str]]:
    """What each metric has, once something has happened, and what Prometheus adds."""
    metrics = service_metrics()
    engine = speech_pb2.Engine(name="whisper")
    metrics.answered(an_utterance(speech_pb2.Final(transcript="hello", engine=engine, confidence=0.7), snr_db=12))
    metrics.refused("RESOURCE_EXHAUSTED")
    metrics.judged(speech_pb2.FeedbackRequest(verdict="VERDICT_WRONG"))
    tally = Tally().said() | {"paths": {"cloud": 1}, "kinds": {"final": 1}, "ends": {"endpoint": 1}}
    text = metrics.text().decode() + metrics_text(SAID | {"tally": tally}, unix_s=100.0)
    found: dict[str, set[str]] = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            found.setdefault(sample.name, {"instance", "job"}).update(sample.labels)
    return found


@pytest.mark.parametrize(("where", "expression"), expressions().items())
def test_each_label_that_is_asked_for_is_one_of_its_metric(where: str, expression: str) -> None:
    has = labels_of()
    for metric, selector in re.findall(r"(parrotlet_[a-z_]+)\{([^}]*)\}", expression):
        assert set(re.findall(r"([a-z_]+)=", selector)) <= has[metric]
    # A sum by what none has is one of all.
    for by, metric in re.findall(r"by \(([a-z, ]+)\)[ (a-z_]*?\((?:rate\(|increase\()?(parrotlet_[a-z_]+)", expression):
        assert set(by.split(", ")) <= has[metric]


def test_the_rules_are_as_prometheus_wants_them() -> None:
    rules = yaml.safe_load((ROOT / "monitoring" / "alerts.yaml").read_text())
    assert set(rules) == {"groups"}
    names = []
    for group in rules["groups"]:
        assert set(group) == {"name", "rules"}
        for rule in group["rules"]:
            assert (
                {"alert", "expr", "labels", "annotations"}
                <= set(rule)
                <= {
                    "alert",
                    "expr",
                    "for",
                    "labels",
                    "annotations",
                }
            )
            assert re.fullmatch(r"[0-9]+[smhd]", rule.get("for", "1m"))
            assert set(rule["annotations"]) == {"summary", "description"}
            assert rule["labels"]["severity"] in ("page", "ticket")
            names.append(rule["alert"])
    assert len(names) == len(set(names))

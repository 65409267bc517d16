"""Utterances of the log as a terminal shows them."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from cloud.drift.facts import Facts
from cloud.log.reader import Entry, Whole
from cloud.utterance import spoken_at_unix_us
from common.plain_text import plain
from protos import speech_pb2

NAME_LENGTH = 14


def entry_line(entry: Entry) -> str:
    """One line: when, which board, what it was, how sure, how loud."""
    facts = entry.facts
    words = plain(entry.transcript) or "(no words)"
    figures = [
        f"{100 * facts.confidence:.0f} % sure" if facts.confidence is not None else "",
        f"{facts.snr_db:.0f} dB over noise" if facts.snr_db is not None else "",
        "answered by the board" if facts.path == "local" else "",
        "sent later" if facts.replayed else "",
    ]
    told = ", ".join(filter(None, figures))
    by = f"{facts.intent or '-'} by {facts.engine}"
    return f"{_when(facts.at_unix_us)}  {facts.device_id:<{NAME_LENGTH}}  {words}  [{by}; {told}]  {facts.utterance_id}"


def whole_lines(whole: Whole) -> Iterator[str]:
    """Everything that is kept of an utterance, a screenful or more."""
    final, facts = whole.final, whole.facts
    yield f"utterance  {whole.key.utterance_id} of {whole.key.device_id}"
    version = f", parrotlet-cloud {final.service_version}" if final.service_version else ""
    engine = f"{final.engine.name} {final.engine.model}"
    yield f"answered   {whole.answered_at} by {engine}, {_domain(final.domain)}{version}"
    if whole.config is not None:
        yield from _configuration(whole.config)
    if facts is not None:
        yield from _facts(facts, is_clock_right=whole.config is None or spoken_at_unix_us(whole.config) is not None)
        yield from _agreement(facts)
    yield f"heard      {plain(final.transcript) or '(no words)'}{_sure(final)}"
    for other in final.alternatives:
        yield f"or         {plain(other.transcript)}{_sure(other)} by {other.engine}"
    if final.HasField("intent"):
        slots = ", ".join(f"{name} {plain(words)}" for name, words in sorted(final.intent.slots.items()))
        yield f"meant      {final.intent.name}{f': {slots}' if slots else ''}{_sure(final.intent)}"
    for choice in final.choices:
        yield f"or meant   {plain(choice.transcript)} ({choice.intent.name})"
    for result in final.results:
        yield f"found      {plain(result.title)} [{result.id}], {result.score:.2f}"
    for said in whole.feedback:
        yield f"said of it {said_line(said)}"
    if whole.features is not None:
        yield f"features   {len(whole.features)} bytes of frames are kept"


def _configuration(config: speech_pb2.UtteranceConfig) -> Iterator[str]:
    parts = [
        f"parrotlet-edge {config.edge_version}" if config.edge_version else "",
        f"gate {config.vad}" if config.vad else "",
        f"its own model {config.local_model_version}" if config.HasField("local_model_version") else "",
        # What the spool sends is counted from above all that are made live.
        f"attempt {config.attempt}" if config.attempt > 1 and not config.replayed else "",
        "sent later" if config.replayed else "live",
        f"follows {config.follows_utterance_id}" if config.HasField("follows_utterance_id") else "",
        f"language {config.language}" if config.HasField("language") else "",
    ]
    yield f"sent       {plain(', '.join(filter(None, parts)))}"
    if config.HasField("local_transcript"):
        yield f"board said {plain(config.local_transcript) or '(no words)'}"


def _facts(facts: Facts, *, is_clock_right: bool) -> Iterator[str]:
    yield "spoken     " + _parts(
        # Else it is the time of the answer.
        (_when(facts.at_unix_us), "{}" if is_clock_right else "before {}"),
        (facts.duration_ms, "{:.0f} ms"),
        (facts.speech_ms, "{:.0f} ms of it speech"),
        (facts.end_reason, "ended by {}"),
        (facts.words_per_s, "{:.1f} words a second"),
        (_pitch(facts), "{}"),
        (facts.silence_before_s, "{:.0f} s after the one before"),
    )
    yield "sound      " + _parts(
        (facts.level_dbfs, "{:.1f} dBFS"),
        (facts.noise_floor_dbfs, "noise {:.1f} dBFS"),
        (facts.snr_db, "{:.1f} dB over it"),
        (facts.clipped_share or None, "{:.2%} clipped"),
        (facts.overruns or None, "{} overruns"),
        (facts.gaps or None, "{} gaps"),
    )
    yield "times      " + _parts(
        (facts.onset_to_partial_ms, "first words after {} ms"),
        (facts.endpoint_to_final_ms, "final {} ms after the end"),
        (facts.waiting_ms, "waited {} ms"),
        (facts.decoding_ms, "decoded {} ms"),
    )
    if facts.word_count:
        yield "words      " + _parts(
            (facts.word_count, "{}"),
            (
                None if facts.unknown_share is None else 100 * facts.unknown_share,
                "{:.0f} % of them none of the domain's",
            ),
            (facts.margin, "ahead of the next reading by {:.2f}"),
        )


def _agreement(facts: Facts) -> Iterator[str]:
    """Who else heard it: only where there was anybody."""
    others = {"the board's own model": facts.local_agrees, "the candidate": facts.shadow_agrees}
    told = [
        f"{who} heard {'the same' if same else 'something else'}" for who, same in others.items() if same is not None
    ]
    if told:
        yield f"beside it  {', '.join(told)}"


def _pitch(facts: Facts) -> str | None:
    if facts.pitch_hz is None:
        return None
    between = (facts.pitch_low_hz, facts.pitch_high_hz)
    span = "" if None in between else " ({:.0f} to {:.0f})".format(*between)
    return f"pitch {facts.pitch_hz:.0f} Hz{span}"


def _parts(*values: tuple[Any, str]) -> str:
    told = [pattern.format(value) for value, pattern in values if value is not None]
    return ", ".join(told) or "nothing was measured"


def said_line(said: speech_pb2.FeedbackRequest) -> str:
    """What was said of an answer, by whom, when."""
    parts = [
        speech_pb2.Verdict.Name(said.verdict).removeprefix("VERDICT_").lower() if said.verdict else "",
        f'"{plain(said.transcript)}" was said' if said.HasField("transcript") else "",
        f"{said.result_id} was meant" if said.HasField("result_id") else "",
        f"choice {said.choice} was meant" if said.HasField("choice") else "",
    ]
    by = f"by {said.given_by}" if said.HasField("given_by") else "by nobody known"
    return f"{', '.join(filter(None, parts)) or 'taken back'}, {by}, {_when(said.given_at_unix_us)}"


def _sure(of: Any) -> str:
    return f", {100 * of.confidence:.0f} % sure" if of.HasField("confidence") else ""


def _domain(domain: speech_pb2.Domain) -> str:
    return f"domain {domain.name} {domain.version}".rstrip()


def _when(unix_us: int | None) -> str:
    """Local time, to the second."""
    if unix_us is None:
        return "time unknown"
    return datetime.fromtimestamp(unix_us / 1e6, UTC).astimezone().strftime("%Y-%m-%d %H:%M:%S")

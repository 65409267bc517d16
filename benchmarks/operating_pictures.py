"""Pictures of the operator's page, in the states that people meet, over a made log.

scripts/bench operating_pictures [--out DIR]
"""

import tempfile
from contextlib import closing
from pathlib import Path
from typing import Any

import click
import msgspec
import numpy as np
import soundfile

from benchmarks.made_log import Made, drawn_levels, made_boards, make_log, rows
from benchmarks.made_operator import made_operator, made_settings, now_us, signed_in
from benchmarks.made_said import make_said
from benchmarks.page_browser import chromium
from benchmarks.page_pictures import small
from cloud.alerts.ringing import Ringing
from cloud.changing.compared import Answered
from cloud.changing.gate import Rules
from cloud.changing.operations import WHISPER_SUBJECT
from cloud.changing.rollout_store import FILE_NAME as ROLLOUTS
from cloud.changing.rollout_store import RolloutStore
from cloud.changing.shadow_store import FILE_NAME as SHADOW
from cloud.changing.shadow_store import Comparison, ShadowStore
from cloud.drift.following import Following
from cloud.log import kept_features
from cloud.log.answer_log import FILE_NAME
from cloud.log.answer_store import AnswerStore, Key, Row
from cloud.operating.standing import StandingAlerts
from cloud.settings import CloudSettings
from edge.speech.log_mel import log_mel
from protos import speech_pb2
from protos.feature_spec import DEFAULT_SPEC

Page = Any

SPEECH, SPOKEN = Path("tests/speech/mocha.flac"), "spoken"
HEARD = "can I get a medium iced mocha with a little bit of sugar"
WINDOW = {"width": 1120, "height": 900}
NARROW = {"width": 720, "height": 820}
"""Frames do not pack well."""
TALL = {"width": 1120, "height": 1400}
PHONE = {"width": 390, "height": 844}
UTTERANCES = 12_000
LEARNT = 7_000
"""Of 16 boards: what is usual is known of each."""
COMPARED = 900

PICTURES: dict[str, tuple[str, dict[str, int], str]] = {
    "fleet-light": ("/", WINDOW, "light"),
    "fleet-dark": ("/", WINDOW, "dark"),
    "fleet-phone": ("/?state=noisy", PHONE, "light"),
    "board-light": ("/board?id=bedroom-1", WINDOW, "light"),
    "board-dark": ("/board?id=bedroom-1", WINDOW, "dark"),
    "board-phone": ("/board?id=bedroom-1", PHONE, "dark"),
    "utterance-light": (f"/utterance?board=bedroom-1&id={SPOKEN}", NARROW, "light"),
    "utterance-dark": (f"/utterance?board=bedroom-1&id={SPOKEN}", NARROW, "dark"),
    "errors-light": ("/errors", TALL, "light"),
    "errors-dark": ("/errors", TALL, "dark"),
    "errors-phone": ("/errors", PHONE, "dark"),
    "capacity-light": ("/capacity", NARROW, "light"),
    "gate-light": ("/models", WINDOW, "light"),
    "gate-dark": ("/models", WINDOW, "dark"),
}
DRIFTED = {"drift-light": (WINDOW, "light"), "drift-dark": (WINDOW, "dark"), "drift-phone": (PHONE, "light")}
ONE_BOARD = {"one-board-light": "light", "one-board-dark": "dark"}


@click.command()
@click.option("--out", type=click.Path(path_type=Path), default=Path("docs/operating"), show_default=True)
def main(out: Path) -> None:
    """Write the pictures."""
    out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as scratch, chromium() as browser:
        fleet, one = Path(scratch) / "fleet", Path(scratch) / "one"
        make_log(fleet, made_boards(60), UTTERANCES, now_us())
        with closing(AnswerStore(fleet / FILE_NAME)) as store:
            store.add([spoken()], UTTERANCES + 1)
        make_said(fleet, now_us())
        _try_base(fleet)
        make_log(one, [Made("kitchen", "", -58.0, -29.0)], 400, now_us())
        with made_operator(made_settings(fleet)) as site:
            for name, (path, window, theme) in PICTURES.items():
                _picture(browser, site, path, window, theme, out / f"{name}.webp")
        settings = _watched(Path(scratch) / "drift")
        with made_operator(settings, StandingAlerts(settings)) as site:
            for name, (window, theme) in DRIFTED.items():
                _picture(browser, site, "/drift", window, theme, out / f"{name}.webp")
        with made_operator(made_settings(one)) as site:
            for name, theme in ONE_BOARD.items():
                _picture(browser, site, "/", PHONE, theme, out / f"{name}.webp")


def _watched(folder: Path) -> CloudSettings:
    """Boards two of which are ill since two days, as the service's own watch finds."""
    make_log(folder, made_boards(16), LEARNT, now_us())
    with Following(folder / FILE_NAME, folder, Ringing(folder, ())) as following:
        while following.look():
            pass
    return made_settings(folder)


def spoken() -> Row:
    """A sentence of tests/speech that was ordered an hour ago, with its frames."""
    samples, _ = soundfile.read(SPEECH, dtype="int16")
    levels = DEFAULT_SPEC.quantise(log_mel(samples, DEFAULT_SPEC))
    loud = np.flatnonzero(levels[:, :40].mean(axis=1) > levels.mean())
    begin_ms, end_ms = (int(frame) * DEFAULT_SPEC.frame_ms for frame in (loud[0], loud[-1]))
    levels = levels[: loud[-1] + 50]
    (row,) = rows([Made("bedroom-1", "", -52.0, -30.0)], 1, now_us(), drawn_levels)
    record = row.record
    assert record is not None
    final = speech_pb2.Final.FromString(row.final)
    final.transcript = HEARD
    del final.alternatives[:]
    final.alternatives.add(transcript=HEARD.replace("mocha", "mucker"), confidence=0.21, engine="whisper")
    final.alternatives.add(transcript=HEARD.removeprefix("can I get "), confidence=0.34, engine="pocketsphinx")
    final.intent.Clear()
    final.intent.name, final.intent.confidence = "order", 0.88
    final.intent.slots.update(drink="mocha", size="medium", style="iced", sweetness="a little")
    del final.results[:]
    final.results.add(id="mocha", title="Mocha", score=4.1)
    final.results.add(id="latte", title="Latte", score=1.2)
    why = ("The domain's sentence “can I get a {drink}” fits all words.", "No other fits half of them.")
    final.explanation.extend(why)
    duration_ms = len(levels) * DEFAULT_SPEC.frame_ms
    end = speech_pb2.UtteranceEnd.FromString(record.end)
    end.speech_start_ms, end.speech_end_ms = begin_ms, end_ms
    facts = msgspec.structs.replace(
        record.facts,
        utterance_id=SPOKEN,
        at_unix_us=now_us() - 3_600_000_000,
        duration_ms=duration_ms,
        speech_ms=end_ms - begin_ms,
        intent="order",
        was_empty=False,
        word_count=len(HEARD.split()),
    )
    frames = kept_features.pack(levels, DEFAULT_SPEC)
    kept = record._replace(facts=facts, transcript=HEARD, end=end.SerializeToString(), features=frames)
    key = row.key._replace(utterance_id=SPOKEN)
    return row._replace(key=key, final=final.SerializeToString(), record=kept)


def _picture(browser: Any, site: Any, path: str, window: dict[str, int], theme: str, file: Path) -> None:
    address, operators = site
    name, value = signed_in(operators)
    context = browser.new_context(viewport=window, color_scheme=theme, locale="en-GB")
    context.add_cookies([{"name": name, "value": value, "url": address}])
    page = context.new_page()
    page.goto(f"{address}{path}")
    written = small(page.screenshot(animations="disabled"))
    file.write_bytes(written)
    context.close()
    click.echo(f"{file}  {len(written) / 1000:.0f} kB")


def _try_base(folder: Path) -> None:
    """Weights in the shadow that err in 7 of 100 utterances where those that serve err in 12."""
    rng = np.random.default_rng(5)
    with closing(RolloutStore(folder / ROLLOUTS)) as store:
        tried = store.begin(
            WHISPER_SUBJECT,
            "base",
            "base",
            who="ada",
            why="knows more words",
            share=0.0,
            automatic=False,
            rules=Rules(),
        )
    with closing(ShadowStore(folder / SHADOW)) as store:
        for number in range(COMPARED):
            key, at_us = Key(f"board-{number % 40}", f"s{number}"), now_us() - (COMPARED - number) * 200_000_000
            slow = (float(rng.random() < 0.03), float(rng.random() < 0.03))
            empty = (float(rng.random() < 0.02), float(rng.random() < 0.03))
            candidate, served = (Answered(None, slow[side], empty[side]) for side in (0, 1))
            slices = ("noisy" if rng.random() < 0.3 else "quiet",)
            store.put(Comparison(tried.number, key, at_us, "both", slices, candidate=candidate, served=served))
            errors = (float(rng.random() < 0.07), float(rng.random() < 0.12))
            store.settle(tried.number, key, "both", candidate=errors[0], served=errors[1])


if __name__ == "__main__":
    main()

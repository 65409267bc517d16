"""What a browser's own switches do to a microphone's sound: echo cancellation, noise suppression, gain control.

A part of page_speech.py. All sentences are played one after the other into a chromium for each setting, as somebody
hears who speaks hands-free; what arrives at the board is written down, and heard by `parrotlet-edge test`.
"""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from benchmarks import corpus, path
from benchmarks.accuracy import error_rate
from benchmarks.made_board import MadeBoard
from benchmarks.page_browser import chromium_by, playwright

SETTINGS: dict[str, dict[str, bool]] = {
    "none, as the page asks": {},
    "echo cancellation": {"echoCancellation": True},
    "noise suppression": {"noiseSuppression": True},
    "gain control": {"autoGainControl": True},
    "all, as browsers do by themselves": {"echoCancellation": True, "noiseSuppression": True, "autoGainControl": True},
}
SNR_DB = 10.0
QUIET = 1e-3
AROUND_S = 1.0
"""Of quiet or noise, before and behind each sentence."""
MARGIN_S = 0.7
"""Of it is heard with the sentence: how late sound arrives is known no better."""
BANDS_HZ = ((100, 300), (300, 1000), (1000, 3400), (3400, 7600))

SWITCHED = """switches => {
    const ask = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
    navigator.mediaDevices.getUserMedia = async ({ audio }) => {
        const stream = await ask({ audio: { ...audio, ...switches } });
        window.settings = stream.getAudioTracks()[0].getSettings();
        return stream;
    };
}"""


class Scene(NamedTuple):
    """All sentences as one sound."""

    name: str
    sound: corpus.Sound
    spans: list[tuple[int, int]]
    """Where each sentence is in it."""


def scenes(clips: Sequence[corpus.Clip], data: Path) -> list[Scene]:
    """Clean, and each sentence in another noise."""
    draw, noises = np.random.default_rng(1), list(corpus.noises(data).values())
    around = round(AROUND_S * corpus.RATE_HZ)
    made = []
    for name in ("clean", f"noise, {SNR_DB:g} dB"):
        parts: list[corpus.Sound] = []
        spans, length = [], 0
        for number, clip in enumerate(clips):
            sound = corpus.read(clip.file)
            if name == "clean":
                part = draw.normal(0, QUIET, len(sound) + 2 * around).astype(np.float32)
                part[around:-around] += sound
            else:
                part = corpus.with_noise(sound, noises[number % len(noises)], SNR_DB, draw)
            parts.append(part)
            spans.append((length + around, length + len(part) - around))
            length += len(part)
        made.append(Scene(name, np.concatenate(parts), spans))
    return made


def compare(clips: Sequence[corpus.Clip], data: Path, service: str, folder: Path) -> None:
    """Word errors, levels and spectra of each setting, in each scene."""
    texts = [clip.text for clip in clips]
    bands = ", ".join(f"{low}-{high}" for low, high in BANDS_HZ)
    print(f"| scene | switched on | word errors | speech, dBFS | between, dBFS | against the file, dB ({bands} Hz) |")
    print("|---|---|---|---|---|---|")
    for scene in scenes(clips, data):
        file = folder / f"{scene.name[:5]}.wav"
        corpus.write(file, scene.sound)
        played = {"the file itself": scene.sound} | _played(file, scene, folder)
        for name, sound in played.items():
            files = list(_cut(sound, scene, folder / f"{len(name)}{scene.name[:5]}"))
            # Words count here, however long they take.
            heard = path.hear(service, files, cloud_final_s_max="60", cloud_answer_s_max="120", local_model="")
            errors = error_rate(texts, [path.transcript(one) for one in heard.values()])
            speech, between = _levels(sound, scene)
            against = ", ".join(f"{gain:+.1f}" for gain in _bands(sound) - _bands(scene.sound))
            print(f"| {scene.name} | {name} | {errors:.3f} | {speech:.1f} | {between:.1f} | {against} |", flush=True)


def _played(file: Path, scene: Scene, folder: Path) -> dict[str, corpus.Sound]:
    """What arrives at the board of a file that each setting's browser has for its microphone, all of them at once."""
    with ExitStack() as opened:
        kind = opened.enter_context(playwright())
        tabs = {}
        for number, (name, switches) in enumerate(SETTINGS.items()):
            state = folder / f"{file.stem}-{number}"
            state.mkdir()
            board = opened.enter_context(MadeBoard(state))
            browser = opened.enter_context(chromium_by(kind, f"--use-file-for-fake-audio-capture={file}%noloop"))
            tabs[name] = (board, _listening(browser, board, switches))
        next(iter(tabs.values()))[1].wait_for_timeout(1000 * (len(scene.sound) / corpus.RATE_HZ + 1))
        for name, (_, tab) in tabs.items():
            got = tab.evaluate("window.settings")
            assert all(got[switch] for switch in SETTINGS[name]), got
        return {name: aligned(_arrived(board), scene.sound) for name, (board, _) in tabs.items()}


def _listening(browser: Any, board: MadeBoard, switches: dict[str, bool]) -> Any:
    context = browser.new_context(permissions=["microphone"])
    board.pair(context)
    tab = context.new_page()
    tab.goto(board.address)
    tab.wait_for_selector("body[data-doing=idle]")
    tab.evaluate(SWITCHED, switches)
    tab.click("#free")
    return tab


def _arrived(board: MadeBoard) -> corpus.Sound:
    """By its numbers; silence where none came."""
    stretches = list(board.microphones.stretches)
    first = stretches[0][0]
    sound = np.zeros(stretches[-1][0] + stretches[-1][1].size - first, np.float32)
    for number, samples in stretches:
        sound[number - first : number - first + samples.size] = samples / 32768
    return sound


def aligned(sound: corpus.Sound, to: corpus.Sound) -> corpus.Sound:
    """Moved so that it lies over the other, and as long."""
    size = 1 << (len(sound) + len(to)).bit_length()
    envelopes = [np.convolve(np.abs(each), np.ones(80) / 80, "same") for each in (sound, to)]
    spectra = [np.fft.rfft(each - each.mean(), size) for each in envelopes]
    lag = int(np.argmax(np.fft.irfft(spectra[0] * np.conj(spectra[1]), size)))
    lag -= size if lag > size // 2 else 0
    moved = sound[lag:] if lag >= 0 else np.concatenate([np.zeros(-lag, np.float32), sound])
    return np.concatenate([moved, np.zeros(max(0, len(to) - len(moved)), np.float32)])[: len(to)]


def _cut(sound: corpus.Sound, scene: Scene, folder: Path) -> Iterator[Path]:
    """A file for each sentence."""
    folder.mkdir(exist_ok=True)
    margin = round(MARGIN_S * corpus.RATE_HZ)
    for number, (begin, end) in enumerate(scene.spans):
        file = folder / f"{number}.wav"
        corpus.write(file, sound[begin - margin : end + margin])
        yield file


def _levels(sound: corpus.Sound, scene: Scene) -> tuple[float, float]:
    """Of the sentences, and of what is between them, dBFS."""
    is_speech = np.zeros(len(sound), bool)
    for begin, end in scene.spans:
        is_speech[begin:end] = True
    between = float(10 * np.log10((sound[~is_speech].astype(np.float64) ** 2).mean() + 1e-12))
    return corpus.power_db(sound[is_speech]), between


def _bands(sound: corpus.Sound) -> np.ndarray[Any, Any]:
    """Mean power in each of BANDS_HZ, dB."""
    windows = sliding_window_view(sound, 512)[::256] * np.hanning(512)
    power = (np.abs(np.fft.rfft(windows)) ** 2).mean(axis=0)
    place = [slice(round(low * 512 / corpus.RATE_HZ), round(high * 512 / corpus.RATE_HZ)) for low, high in BANDS_HZ]
    return np.array([10 * np.log10(power[each].mean() + 1e-12) for each in place])

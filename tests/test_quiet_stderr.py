import os

import pytest

from common.quiet_stderr import quiet_stderr


def test_chatter_of_sound_libraries_is_dropped_and_what_others_say_is_kept(capfd: pytest.CaptureFixture[str]) -> None:
    with quiet_stderr():
        os.write(2, b"ALSA lib pcm.c:2666:(snd_pcm_open_noupdate) Unknown PCM cards.pcm.rear\njack server is not run")
        os.write(2, b"ning or cannot be started\n\nmicrophone lost\n")
        os.write(2, b"Cannot create thread res = 1\nCannot create message buffer\n")
        assert capfd.readouterr().err == ""
    assert capfd.readouterr().err == "microphone lost\n"
    os.write(2, b"ALSA lib loud again\n")
    assert capfd.readouterr().err == "ALSA lib loud again\n"


def test_standard_error_comes_back_after_an_error(capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(OSError), quiet_stderr():
        raise OSError
    os.write(2, b"here\n")
    assert capfd.readouterr().err == "here\n"

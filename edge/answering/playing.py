"""Plays one sound, as a program of its own: `python -m edge.answering.playing DEVICE`.

Its standard input brings a byte when there is something to play, and then PCM (48 kHz, mono, signed 16 bit) until it
ends. On its standard output it says "open" once the device is, or one sentence why it cannot be; it ends when all has
been heard. So a sound server that hangs, hangs nobody who hears; sound ends at once when the program is killed; and two
threads never open devices at the same time, which PortAudio does not bear. It imports nothing that is slow to import.
"""

import os
import sys
from array import array
from typing import Any

RATE_HZ = 48_000
CHUNK_BYTES = RATE_HZ * 2 // 50
OPEN = "open"


def main() -> None:
    """Exit status 1 if it cannot be played."""
    try:
        import pyaudio

        _play(pyaudio, pyaudio.PyAudio(), sys.argv[1])
    except (ImportError, OSError) as error:
        _say(" ".join(str(error).split()) or type(error).__name__)
        sys.exit(1)


def _play(constants: Any, audio: Any, wanted: str) -> None:
    # Waits here, with the sound system looked through already.
    if not sys.stdin.buffer.read(1):
        return
    device = _device(audio, wanted)
    channels = 1 if device["maxOutputChannels"] == 1 else 2
    stream = audio.open(
        format=constants.paInt16,
        channels=channels,
        rate=RATE_HZ,
        output=True,
        output_device_index=device["index"],
    )
    _say(OPEN)
    while chunk := sys.stdin.buffer.read(CHUNK_BYTES):
        stream.write(chunk if channels == 1 else _doubled(chunk))
    # Waits until all has been heard.
    stream.stop_stream()
    # What a device that closes may wait for is nobody's business any more.
    os._exit(0)


def _device(audio: Any, wanted: str) -> Any:
    """OSError, a sentence, if there is none."""
    if not wanted:
        return audio.get_default_output_device_info()
    found = [audio.get_device_info_by_index(number) for number in range(audio.get_device_count())]
    found = [device for device in found if device["maxOutputChannels"]]
    for device in found:
        if wanted == str(device["index"]) or wanted.casefold() in str(device["name"]).casefold():
            return device
    names = ", ".join(str(device["name"]) for device in found) or "none"
    raise OSError(f'No loudspeaker is called "{wanted}"; there are: {names}.')


def _doubled(mono: bytes) -> bytes:
    """The same on both channels: many devices take no single one."""
    samples = array("h", mono)
    both = array("h", bytes(2 * len(mono)))
    both[0::2] = samples
    both[1::2] = samples
    return both.tobytes()


def _say(line: str) -> None:
    print(line, flush=True)


if __name__ == "__main__":
    main()

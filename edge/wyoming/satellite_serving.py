"""What `parrotlet-edge wyoming --satellite` does: lends a home the board's microphone and loudspeaker."""

import asyncio
import logging
import signal
import sys
from contextlib import ExitStack

from common.addresses import Address
from common.errors import DaemonError, InputError
from common.settings import Loaded
from edge import directories
from edge.board.board import Ear
from edge.board.button import watch_button, watch_switch
from edge.board.daemon import quietly
from edge.board.log_lines import start_logging
from edge.board.mute import Mute
from edge.console import Console
from edge.device_id import device_id
from edge.local.activations import open_activation
from edge.local.gate import open_gate
from edge.settings import EdgeSettings
from edge.sound.capture import Microphone
from edge.sound.player import Player
from edge.speech.activation import Activation
from edge.speech.hearing import hear
from edge.speech.utterance import EndReason
from edge.worker import Worker
from edge.wyoming import loudspeaker
from edge.wyoming.hushed import Hushed
from edge.wyoming.info import satellite_info
from edge.wyoming.satellite import Satellite
from edge.wyoming.serving import address_of, served

logger = logging.getLogger(__name__)

SATELLITE_ADDRESS = "127.0.0.1:10700"
STOP_S_MAX = 2.0


def serve_satellite(loaded: Loaded[EdgeSettings], input_file: str | None) -> None:
    """Until SIGTERM or SIGINT; `input_file` is played in place of the microphone. SettingsError if it cannot start,
    InputError if the file cannot be read, DaemonError if a part of it died."""
    start_logging(loaded.settings.log.level, Console(sys.stdout))
    address = address_of(loaded, SATELLITE_ADDRESS)
    activation = open_activation(loaded.settings)
    ear: Ear
    if input_file is None:
        ear = Microphone(loaded.settings.microphone)
    else:
        from edge.sound.audio_file import AudioFile  # Its libraries are not for a board that listens.

        ear = Player(AudioFile(input_file, realtime=True))
    asyncio.run(_satellite(loaded, address, ear, activation))


async def _satellite(loaded: Loaded[EdgeSettings], address: Address, ear: Ear, activation: Activation) -> None:
    settings = loaded.settings
    player = loudspeaker.program()
    name = device_id(settings.device.id)
    info = satellite_info(name, activation.phrase, speaks=player is not None).event()
    satellite = Satellite(info, activation.phrase, player)
    mute = Mute(ear, directories.hoped_for(loaded, directories.STATE))
    sound = hear(
        ear,
        gate=open_gate(settings),
        segmenter=settings.segmenter,
        activation=Hushed(activation, lambda: satellite.listens),
        end_of_source_reason=EndReason.STOPPED,
    )

    def hear_all() -> None:
        for heard in sound:
            satellite.heard(heard)

    hearing = Worker("hearing", hear_all)
    with ExitStack() as started:
        if activation.mode != "always" and settings.activation.gpio >= 0:
            started.callback(watch_button(settings.activation.gpio, lambda: quietly(activation.press)).close)
        if settings.mute.gpio >= 0:
            started.callback(watch_switch(settings.mute.gpio, mute.switch).close)
        loop = asyncio.get_running_loop()
        loop.add_signal_handler(signal.SIGUSR1, quietly, activation.press)
        loop.add_signal_handler(signal.SIGUSR2, quietly, mute.toggle)
        started.callback(hearing.join, STOP_S_MAX)
        started.callback(ear.close)
        hearing.start()
        played = player or f"none, as there is no {loudspeaker.PROGRAM}"
        logger.info("microphone: %s; loudspeaker: %s; activation: %s", ear.name, played, activation.mode)
        try:
            await served(loaded, address, satellite.serve, lambda: _check(hearing))
        finally:
            await satellite.close()


def _check(hearing: Worker) -> None:
    """InputError or DaemonError, a sentence, if it died."""
    if isinstance(hearing.error, InputError):
        raise hearing.error
    if hearing.error is not None:
        raise DaemonError(f"The hearing thread died: {hearing.error}") from hearing.error

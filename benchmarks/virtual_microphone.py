"""A microphone that is not there: a PulseAudio of our own, in which what is played is what the microphone hears."""

import importlib.util
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

NEEDED = ("pulseaudio", "pactl", "paplay")
START_S_MAX = 10.0


def why_not() -> str:
    """Why there can be no virtual microphone here; "" if there can."""
    missing = [name for name in NEEDED if shutil.which(name) is None]
    if missing:
        return f"no {', '.join(missing)}: apt install pulseaudio pulseaudio-utils"
    if not list(Path("/usr/lib").glob("*/alsa-lib/libasound_module_pcm_pulse.so")):
        return "no ALSA plugin for PulseAudio: apt install libasound2-plugins"
    if importlib.util.find_spec("pyaudio") is None:
        return "no PyAudio: scripts/setup --edge"
    return ""


class VirtualMicrophone:
    """Programs started with `environment` record by default what `play` plays. Silence is digital silence."""

    def __init__(self, folder: Path) -> None:
        """`folder`: an empty one with a short path, for sockets do not take long ones."""
        self._folder = folder
        self._daemon: subprocess.Popen[bytes] | None = None
        socket = f"unix:{folder}/socket"
        (folder / ".asoundrc").write_text(
            f'pcm.!default {{ type pulse server "{socket}" }}\nctl.!default {{ type pulse server "{socket}" }}\n'
        )
        # With shared memory, a client of libpulse 16 whose server is killed while it reads may wait for itself forever.
        (folder / "client.conf").write_text("enable-shm = no\nautospawn = no\n")
        self.environment = os.environ | {
            "HOME": str(folder),
            "PULSE_CLIENTCONFIG": str(folder / "client.conf"),
            "XDG_RUNTIME_DIR": str(folder),
            "PULSE_SERVER": socket,
            "PULSE_SINK": "speaker",
            "PULSE_SOURCE": "microphone",
        }

    def start(self) -> None:
        """Plugs it in."""
        modules = (
            f"module-native-protocol-unix socket={self._folder}/socket auth-anonymous=1",
            "module-null-sink sink_name=speaker norewinds=1 format=s16le rate=48000 channels=2",
            "module-remap-source master=speaker.monitor source_name=microphone master_channel_map=front-left "
            "channel_map=mono remix=no",
        )
        with (self._folder / "log").open("wb") as log:
            self._daemon = subprocess.Popen(
                ["pulseaudio", "-n", "--daemonize=no", "--use-pid-file=no", "--exit-idle-time=-1"]
                + [f"--load={module}" for module in modules],
                env=self.environment,
                stdout=log,
                stderr=log,
            )
        give_up_s = time.monotonic() + START_S_MAX
        while self._ask("info").returncode:
            if time.monotonic() > give_up_s or self._daemon.poll() is not None:
                raise RuntimeError(f"PulseAudio does not start:\n{(self._folder / 'log').read_text()}")
            time.sleep(0.05)

    def play(self, wav: Path) -> None:
        """Says it into the microphone; comes back when it is said."""
        subprocess.run(["paplay", wav], env=self.environment, check=True, timeout=60)

    def listeners(self) -> int:
        """Programs that have it open."""
        # Without the remapping of the speaker to the microphone, which listens, too.
        return self._ask("list", "short", "source-outputs").stdout.count(b"protocol-native")

    def hang(self) -> None:
        """Makes it deliver nothing, and not answer either."""
        assert self._daemon is not None
        self._daemon.send_signal(signal.SIGSTOP)

    def unplug(self) -> None:
        if self._daemon is not None:
            self._daemon.kill()
            self._daemon.wait()
            self._daemon = None

    def _ask(self, *question: str) -> subprocess.CompletedProcess[bytes]:
        return subprocess.run(
            ["pactl", *question], env=self.environment, capture_output=True, check=False, timeout=START_S_MAX
        )


@contextmanager
def plugged_in() -> Iterator[VirtualMicrophone]:
    """One that is plugged in. RuntimeError where there can be none; `why_not` says why."""
    folder = Path(tempfile.mkdtemp(prefix="mic"))
    microphone = VirtualMicrophone(folder)
    try:
        microphone.start()
        yield microphone
    finally:
        microphone.unplug()
        shutil.rmtree(folder, ignore_errors=True)

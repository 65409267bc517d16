import errno
import itertools
import json
import queue
import subprocess
import sys
import threading
import wave
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benchmarks.virtual_microphone import VirtualMicrophone
from common.errors import MicrophoneError
from edge import settings
from edge.sound.capture import QUEUE_MS, Microphone, State
from edge.sound.port_audio import PERIOD_MS
from edge.sound.sound_device import DeviceAbsentError, DeviceInfo, OnSound, choose
from edge.sound.sound_queue import SoundQueue
from edge.sound.source import BLOCK_SAMPLES, Block, Interruption

LOST, MUTED = Interruption("lost"), Interruption("muted")
DEVICES = (
    DeviceInfo(0, "HDA Intel: ALC257 (hw:0,0)", 2, 44_100, False),
    DeviceInfo(3, "USB PnP Sound: Audio (hw:1,0)", 1, 48_000, False),
    DeviceInfo(4, "USB Camera: Audio (hw:2,0)", 2, 32_000, False),
    DeviceInfo(5, "pulse", 32, 44_100, False),
    DeviceInfo(6, "default", 32, 44_100, True),
)


class FakeSoundSystem:
    """A sound system with devices that can be unplugged. What `says` holds is heard as soon as a device is open."""

    def __init__(self) -> None:
        self.devices_now: tuple[DeviceInfo, ...] = DEVICES
        self.says: list[tuple[np.ndarray, bool]] = []
        self.refuses: Callable[[int, int], bool] = lambda rate_hz, channels: False
        self.opened: list[tuple[str, int, int]] = []
        self.on_sound: OnSound | None = None
        self.looks = 0
        self.alive = False
        self.on_close: Callable[[], None] = lambda: None

    def __call__(self) -> "FakeSoundSystem":
        """A new look at it, as Backend."""
        self.looks += 1
        return self

    def devices(self) -> tuple[DeviceInfo, ...]:
        return self.devices_now

    def open(self, device: DeviceInfo, rate_hz: int, channels: int, on_sound: OnSound) -> "FakeStream":
        if self.refuses(rate_hz, channels):
            raise OSError(-9997, "Invalid sample rate")
        assert self.on_sound is None, "opened twice"
        self.opened.append((device.name, rate_hz, channels))
        self.on_sound, self.alive = on_sound, True
        for samples, lost_before in self.says:
            on_sound(samples.astype("<i2").tobytes(), lost_before)
        return FakeStream(self)

    def close(self) -> None:
        assert self.on_sound is None, "closed while a stream is open"


class FakeStream:
    def __init__(self, system: FakeSoundSystem) -> None:
        self._system = system

    def is_alive(self) -> bool:
        return self._system.alive

    def close(self) -> None:
        self._system.on_close()
        self._system.on_sound = None


def ramp(blocks: int, channels: int = 1) -> np.ndarray:
    return np.repeat(np.arange(blocks * BLOCK_SAMPLES) % 20_000, channels)


@pytest.fixture
def system() -> FakeSoundSystem:
    return FakeSoundSystem()


@pytest.fixture
def microphone(system: FakeSoundSystem) -> Microphone:
    return Microphone(settings.Microphone(), backend=system, pause_s_min=0.001)


@pytest.mark.parametrize(
    ("wanted", "number"),
    [("", 6), ("3", 3), ("usb pnp", 3), ("CAMERA", 4), ("pulse", 5), ("hda intel: alc257 (HW:0,0)", 0), ("hw:1", 3)],
)
def test_a_device_is_chosen_by_number_name_or_part_of_its_name(wanted: str, number: int) -> None:
    assert choose(DEVICES, wanted).number == number


@pytest.mark.parametrize(
    ("devices", "wanted", "words"),
    [
        ((), "", "There is no microphone; plug one in."),
        (DEVICES, "usb", 'More than one microphone is called "usb": 3 "USB PnP'),
        (DEVICES, "yeti", 'No microphone is called "yeti"; there are: 0 "HDA'),
        (DEVICES, "1", 'No microphone is called "1"'),
        (DEVICES[:2], "", "There is no default microphone; there are: 0"),
    ],
)
def test_a_device_that_cannot_be_chosen_is_told_with_what_there_is(
    devices: tuple[DeviceInfo, ...], wanted: str, words: str
) -> None:
    with pytest.raises(DeviceAbsentError) as error:
        choose(devices, wanted)
    assert str(error.value).startswith(words)
    assert all(device.name in str(error.value) for device in devices if wanted != "usb" or "USB" in device.name)


def test_a_full_queue_drops_the_newest_and_marks_what_follows() -> None:
    sound = SoundQueue(2)
    for name in (b"a", b"b", b"c", b"d"):
        sound.put(name, False)
    assert sound.overruns == 2
    first = sound.get(0)
    sound.put(b"e", True)
    assert [first, sound.get(0), sound.get(0), sound.get(0)] == [(b"a", 0), (b"b", 0), (b"e", 3), None]
    assert sound.overruns == 3
    sound.put(b"f", False)
    sound.clear()
    assert sound.get(0) is None


def test_pieces_of_any_length_come_as_whole_blocks(system: FakeSoundSystem, microphone: Microphone) -> None:
    system.says = [(piece, False) for piece in np.array_split(ramp(50), 17)]
    blocks = list(itertools.islice(microphone.blocks(), 50))
    assert all(isinstance(block, Block) and block.overruns == 0 for block in blocks)
    np.testing.assert_array_equal(np.concatenate([block.samples for block in blocks]), ramp(50))
    assert system.opened == [("default", 16_000, 1)]
    assert (microphone.name, microphone.rate_hz) == ("default", 16_000)


def test_lost_sound_is_marked_once_on_the_next_block_and_counted(
    system: FakeSoundSystem, microphone: Microphone
) -> None:
    half = ramp(1)[: BLOCK_SAMPLES // 2]
    system.says = [(ramp(3), False), (half, True), (half, False), (ramp(2), True)]
    blocks = list(itertools.islice(microphone.blocks(), 6))
    assert [block.overruns for block in blocks] == [0, 0, 0, 1, 1, 0]
    assert microphone.overruns == 2


def test_a_reader_that_falls_behind_loses_the_newest_and_sees_the_hole(
    system: FakeSoundSystem, microphone: Microphone
) -> None:
    period = ramp(PERIOD_MS // 20)
    pieces_max = QUEUE_MS // PERIOD_MS
    system.says = [(period, False)] * (pieces_max + 5)
    blocks = microphone.blocks()
    kept = list(itertools.islice(blocks, pieces_max * PERIOD_MS // 20))
    assert not any(block.overruns for block in kept)
    assert system.on_sound is not None
    system.on_sound(period.astype("<i2").tobytes(), False)
    assert next(blocks).overruns == 5 == microphone.overruns


@pytest.mark.parametrize(
    ("refuses", "device", "opened"),
    [
        (lambda rate_hz, channels: rate_hz == 16_000, "usb pnp", (48_000, 1)),
        (lambda rate_hz, channels: channels == 1, "camera", (16_000, 2)),
        (lambda rate_hz, channels: rate_hz == 16_000 or channels == 1, "default", (44_100, 2)),
    ],
)
def test_a_device_that_cannot_do_16_khz_mono_is_opened_as_it_can_and_resampled(
    system: FakeSoundSystem, refuses: Callable[[int, int], bool], device: str, opened: tuple[int, int]
) -> None:
    rate_hz, channels = opened
    tone = 8000 * np.sin(2 * np.pi * 440 * np.arange(rate_hz) / rate_hz)
    system.refuses = refuses
    system.says = [(piece, False) for piece in np.array_split(np.repeat(tone, channels), 20)]
    microphone = Microphone(settings.Microphone(device=device), backend=system)
    sound = np.concatenate([block.samples for block in itertools.islice(microphone.blocks(), 45)])
    assert system.opened[-1][1:] == opened
    truth = 8000 * np.sin(2 * np.pi * 440 * np.arange(sound.size) / 16_000)
    assert np.corrcoef(sound, truth)[0, 1] > 0.999


def test_channels_are_mixed_to_their_mean(system: FakeSoundSystem, microphone: Microphone) -> None:
    system.refuses = lambda rate_hz, channels: channels == 1
    system.says = [(np.tile([1000, 3000], BLOCK_SAMPLES), False)]
    assert set(next(microphone.blocks()).samples) == {2000}


def test_an_unplugged_device_is_told_once_and_opened_again_when_it_is_back(
    system: FakeSoundSystem, microphone: Microphone
) -> None:
    system.says = [(ramp(2), False)]
    blocks = microphone.blocks()
    assert isinstance(next(blocks), Block) and isinstance(next(blocks), Block)
    assert microphone.state is State.OPEN

    plug_in = threading.Timer(0.1, lambda: setattr(system, "devices_now", DEVICES))
    system.devices_now, system.alive = (), False
    assert next(blocks) == LOST
    assert microphone.state is State.ABSENT
    plug_in.start()
    assert isinstance(next(blocks), Block)
    assert microphone.state is State.OPEN
    assert system.looks > 3  # PortAudio only sees what is new after it was started afresh.
    plug_in.join()


def test_an_open_device_that_delivers_nothing_is_given_up(system: FakeSoundSystem) -> None:
    now_s = itertools.count(0.0, 2.0)
    microphone = Microphone(settings.Microphone(), backend=system, clock=lambda: next(now_s), pause_s_min=0.001)
    system.says = [(ramp(1), False)]
    blocks = microphone.blocks()
    assert isinstance(next(blocks), Block)
    assert next(blocks) == LOST
    assert system.on_sound is None


def test_an_absent_device_is_waited_for_in_the_daemon_and_an_error_at_once_elsewhere(system: FakeSoundSystem) -> None:
    strict = Microphone(settings.Microphone(device="yeti"), backend=system, must_exist=True)
    with pytest.raises(MicrophoneError, match='No microphone is called "yeti"'):
        next(strict.blocks())
    assert strict.state is State.CLOSED

    system.refuses = lambda rate_hz, channels: True
    with pytest.raises(MicrophoneError, match=r"default: cannot be opened: Invalid sample rate"):
        next(Microphone(settings.Microphone(), backend=system, must_exist=True).blocks())

    system.refuses = lambda rate_hz, channels: system.looks < 6
    system.says = [(ramp(1), False)]
    patient = Microphone(settings.Microphone(), backend=system, pause_s_min=0.001)
    assert isinstance(next(patient.blocks()), Block)


def test_pauses_grow_to_the_owners_limit(system: FakeSoundSystem) -> None:
    microphone = Microphone(settings.Microphone(reopen_s_max=3.0), backend=system)
    pauses_s = list(itertools.islice(microphone._pauses(), 8))
    for pause_s, longest_s in zip(pauses_s, [0.5, 1, 2, 3, 3, 3, 3, 3], strict=True):
        assert 0.75 * longest_s <= pause_s <= longest_s


def test_mute_closes_the_device_and_unmute_opens_it_again(system: FakeSoundSystem, microphone: Microphone) -> None:
    system.says = [(ramp(3), False)]
    blocks = microphone.blocks()
    assert isinstance(next(blocks), Block)
    microphone.mute()
    assert next(blocks) == MUTED  # Two more blocks had been heard before; they are gone.
    assert microphone.state is State.MUTED
    assert system.on_sound is None

    unmute = threading.Timer(0.05, microphone.unmute)
    unmute.start()
    np.testing.assert_array_equal(next(blocks).samples, ramp(1))
    unmute.join()
    assert len(system.opened) == 2
    assert microphone.state is State.OPEN


def test_a_short_mute_is_a_mute(system: FakeSoundSystem, microphone: Microphone) -> None:
    system.says = [(ramp(1), False)] * 3
    blocks = microphone.blocks()
    assert isinstance(next(blocks), Block)
    microphone.mute()
    microphone.unmute()
    assert next(blocks) == MUTED
    system.says = [(ramp(1) + 1, False)]
    np.testing.assert_array_equal(next(blocks).samples, ramp(1) + 1)
    assert len(system.opened) == 2


def test_muted_before_it_begins_it_never_opens_the_device(system: FakeSoundSystem, microphone: Microphone) -> None:
    microphone.mute()
    listener = threading.Thread(target=lambda: list(microphone.blocks()))
    listener.start()
    microphone.close()
    listener.join(5)
    assert not listener.is_alive()
    assert system.looks == 0
    assert microphone.state is State.CLOSED


def test_closed_before_it_begins_it_never_opens_the_device(system: FakeSoundSystem, microphone: Microphone) -> None:
    microphone.close()
    assert list(microphone.blocks()) == []
    assert system.looks == 0


@pytest.mark.parametrize("present", [True, False])
def test_close_ends_the_blocks_while_they_are_waited_for(system: FakeSoundSystem, present: bool) -> None:
    system.devices_now = DEVICES if present else ()
    microphone = Microphone(settings.Microphone(), backend=system, pause_s_min=60)
    found: list[Block | Interruption] = []
    listener = threading.Thread(target=lambda: found.extend(microphone.blocks()))
    listener.start()
    microphone.close()
    microphone.close()
    listener.join(5)
    assert not listener.is_alive()
    assert (found, microphone.state, system.on_sound) == ([], State.CLOSED, None)


def test_nothing_but_zeros_is_told_once_and_is_no_fault_and_sound_is_back_at_once(
    system: FakeSoundSystem, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", "edge.sound.zeros")
    now_s = 100.0
    microphone = Microphone(settings.Microphone(), backend=system, clock=lambda: now_s)
    system.says = [(ramp(1) + 1, False)]
    blocks = microphone.blocks()
    next(blocks)

    def hear(samples: np.ndarray) -> bool:
        """Whether nothing but zeros came of late, after these samples."""
        assert system.on_sound is not None
        system.on_sound(samples.astype("<i2").tobytes(), False)
        list(itertools.islice(blocks, samples.size // BLOCK_SAMPLES))
        return microphone.all_zeros

    for _ in range(2):
        assert not any(hear(np.zeros(16_000)) for _ in range(4))
        assert hear(np.zeros(16_000))
        assert hear(np.zeros(16_000))
        assert (microphone.state, len(system.opened)) == (State.OPEN, 1)
        assert not hear(ramp(1) + 1)
    assert [record.levelname for record in caplog.records] == ["WARNING", "INFO"]
    assert "default sends nothing but zeros: a switch on it is off, or it is broken" in caplog.messages[0]
    now_s += 3600
    for _ in range(5):
        hear(np.zeros(16_000))
    assert len(caplog.records) == 3


def test_freshness_is_the_time_since_the_last_sound(system: FakeSoundSystem) -> None:
    now_s = 100.0
    microphone = Microphone(settings.Microphone(), backend=system, clock=lambda: now_s)
    system.says = [(ramp(1), False)]
    blocks = microphone.blocks()
    next(blocks)
    now_s = 103.0
    assert microphone.fresh_s() == 3.0
    assert system.on_sound is not None
    system.on_sound(bytes(640), False)
    assert microphone.fresh_s() == 0.0
    assert microphone.unread_s() == 3.0
    next(blocks)
    assert microphone.unread_s() == 0.0


def test_a_device_that_hangs_when_it_is_closed_is_an_error_and_not_a_wait(
    system: FakeSoundSystem, microphone: Microphone
) -> None:
    let_go = threading.Event()
    system.on_close = lambda: let_go.wait(20) and None
    system.says = [(ramp(1), False)]
    blocks = microphone.blocks()
    next(blocks)
    system.alive = False
    try:
        with pytest.raises(MicrophoneError, match="hangs and cannot be closed"):
            next(blocks)
    finally:
        let_go.set()


def test_a_device_that_fails_while_it_is_closed_is_opened_again(
    system: FakeSoundSystem, microphone: Microphone
) -> None:
    def fail() -> None:
        system.on_sound = None
        raise OSError(errno.ENODEV, "No such device")

    system.on_close = fail
    system.says = [(ramp(1), False)]
    blocks = microphone.blocks()
    next(blocks)
    system.alive = False
    assert next(blocks) == LOST
    assert isinstance(next(blocks), Block)


def test_without_pyaudio_it_says_what_to_type() -> None:
    program = "import sys; sys.modules['pyaudio'] = None; from edge.sound.port_audio import list_devices as l; l()"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=30, check=False)
    assert "MicrophoneError: PyAudio cannot be loaded" in done.stderr
    assert "scripts/setup --edge, or apt install python3-pyaudio." in done.stderr


RECORDER = """
import json, sys, threading
import numpy as np
from common.errors import MicrophoneError
from edge import settings
from edge.sound.capture import Microphone
from edge.sound.port_audio import list_devices

def tell(**event):
    print(json.dumps(event), flush=True)

def obey():
    for command in map(str.strip, sys.stdin):
        getattr(microphone, command)()

tell(event="devices", devices=[device._asdict() for device in list_devices()])
microphone = Microphone(settings.Microphone(), must_exist=True, silent_s_max=1.0)
threading.Thread(target=obey, daemon=True).start()
heard = []
try:
    telling = True
    for item in microphone.blocks():
        if not hasattr(item, "samples"):
            tell(event=item.cause, state=microphone.state)
            telling = True
            continue
        if telling:
            tell(event="heard", state=microphone.state)
        telling = False
        heard.append(item.samples)
except MicrophoneError as error:
    tell(event="error", text=str(error))
np.save(sys.argv[1], np.concatenate(heard))
tell(event="end", overruns=microphone.overruns)
"""


class Recorder:
    """Another process, for where sound comes from is said by its environment; tells what happens line by line."""

    def __init__(self, microphone: VirtualMicrophone, folder: Path) -> None:
        self._file = folder / "heard.npy"
        self._chatter = folder / "stderr"
        with self._chatter.open("wb") as chatter:
            self._process = subprocess.Popen(
                [sys.executable, "-c", RECORDER, self._file],
                env=microphone.environment,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=chatter,
                text=True,
            )
        self._events: queue.SimpleQueue[dict[str, Any]] = queue.SimpleQueue()
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def wait_for(self, event: str) -> dict[str, Any]:
        found = self._events.get(timeout=15)
        assert found["event"] == event, found
        return found

    def wait_for_exit(self) -> int:
        return self._process.wait(timeout=15)

    def command(self, text: str) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(text + "\n")
        self._process.stdin.flush()

    def heard(self) -> np.ndarray:
        return np.load(self._file)

    def end(self) -> str:
        """What it wrote on standard error."""
        self._process.kill()
        with self._process:
            self._reader.join()
        return self._chatter.read_text()

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self._events.put(json.loads(line))


@pytest.fixture
def recorder(virtual_microphone: VirtualMicrophone, tmp_path: Path) -> Iterator[Recorder]:
    recorder = Recorder(virtual_microphone, tmp_path)
    yield recorder
    recorder.end()


def test_what_is_played_is_what_is_heard(
    virtual_microphone: VirtualMicrophone,
    recorder: Recorder,
    tmp_path: Path,
) -> None:
    times_s = np.arange(2 * 16_000) / 16_000
    chirp = (12_000 * np.sin(2 * np.pi * (200 + 800 * times_s) * times_s)).astype("<i2")
    with wave.open(str(tmp_path / "chirp.wav"), "wb") as file:
        file.setparams((1, 2, 16_000, 0, "NONE", ""))
        file.writeframes(chirp.tobytes())

    (default,) = [device for device in recorder.wait_for("devices")["devices"] if device["is_default"]]
    assert default["rates_hz"] == [16_000, 44_100, 48_000]
    assert recorder.wait_for("heard")["state"] == "open"
    virtual_microphone.play(tmp_path / "chirp.wav")
    recorder.command("close")
    assert recorder.wait_for("end")["overruns"] == 0
    assert recorder.wait_for_exit() == 0
    assert recorder.end() == ""

    heard = recorder.heard().astype(float)
    lag = int(np.argmax(np.correlate(heard, chirp[:8000].astype(float), "valid")))
    part = heard[lag : lag + chirp.size]
    assert np.corrcoef(part, chirp[: part.size])[0, 1] > 0.95
    assert part.size > chirp.size - 4000


def test_a_muted_microphone_is_really_closed(
    virtual_microphone: VirtualMicrophone,
    recorder: Recorder,
) -> None:
    recorder.wait_for("devices")
    recorder.wait_for("heard")
    assert virtual_microphone.listeners() == 1
    recorder.command("mute")
    assert recorder.wait_for("muted")["state"] == "muted"
    assert virtual_microphone.listeners() == 0
    recorder.command("unmute")
    recorder.wait_for("heard")
    assert virtual_microphone.listeners() == 1
    recorder.command("close")
    recorder.wait_for("end")


def test_an_unplugged_microphone_is_heard_again_when_it_is_back(
    virtual_microphone: VirtualMicrophone,
    recorder: Recorder,
) -> None:
    recorder.wait_for("devices")
    recorder.wait_for("heard")
    virtual_microphone.unplug()
    assert recorder.wait_for("lost")["state"] == "absent"
    virtual_microphone.start()
    recorder.wait_for("heard")
    recorder.command("close")
    recorder.wait_for("end")


def test_a_sound_server_that_hangs_ends_the_program_with_a_sentence(
    virtual_microphone: VirtualMicrophone,
    recorder: Recorder,
) -> None:
    recorder.wait_for("devices")
    recorder.wait_for("heard")
    virtual_microphone.hang()
    assert "hangs" in recorder.wait_for("error")["text"]
    recorder.wait_for("end")
    assert recorder.wait_for_exit() == 0

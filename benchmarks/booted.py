"""Parrotlet as services of a Debian that boots: installed as a person would, broken, upgraded, taken away again.

    sudo scripts/booted DEBIAN_ROOT

DEBIAN_ROOT: a folder with a Debian in it, such as `mmdebstrap --include=systemd-sysv,dbus bookworm DIR` makes; it is
copied, and not changed. With pulseaudio, pulseaudio-utils and libasound2-plugins in it, a sentence is spoken, too.
"""

import contextlib
import os
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import click
import soundfile

from benchmarks import booted_checks as checks
from benchmarks import booted_page as page
from benchmarks import booted_walls as walls
from benchmarks import nspawn
from benchmarks.booted_checks import CLOUD, EDGE, GPIO_GROUP, SOUND, UNITS
from benchmarks.booted_trial import Trial
from benchmarks.nspawn import Container

ROOT = Path(__file__).parent.parent

FAULTS = (
    (EDGE, "[vad]\naggressiveness = 9\n", "vad.aggressiveness is 9"),
    (CLOUD, '[server]\nlisten = "everywhere"\n', "server.listen is 'everywhere'"),
)
"""A unit, settings that it cannot use, and what it says of them."""

DATA = ("/etc/parrotlet", *(f"/var/lib/{folder}{unit}" for folder in ("", "private/") for unit in UNITS))

_ASOUND = "pcm.!default {{ type pulse server {0} device microphone }}\nctl.!default {{ type pulse server {0} }}\n"


@contextlib.contextmanager
def with_sound(container: Container) -> Iterator[None]:
    """A microphone in the container that hears what is played, where there can be one."""
    if not (container.root / "usr/bin/pulseaudio").exists():
        yield
        return
    sink = "module-null-sink sink_name=speaker norewinds=1 format=s16le rate=48000 channels=2"
    source = "module-remap-source master=speaker.monitor source_name=microphone master_channel_map=front-left"
    modules = (f"module-native-protocol-unix socket={SOUND} auth-anonymous=1", sink, f"{source} channel_map=mono")
    options = ("-n", "--daemonize=no", "--use-pid-file=no", "--exit-idle-time=-1")
    with container.start("pulseaudio", *options, *(f"--load={module}" for module in modules)) as pulse:
        try:
            yield
        finally:
            pulse.kill()


def prepare(root: Path) -> None:
    """What is spoken, and where from."""
    for name in ("timer", "fuse_box"):
        samples, rate_hz = soundfile.read(ROOT / f"tests/speech/{name}.flac", dtype="int16")
        soundfile.write(root / f"srv/{name}.wav", samples, rate_hz)
    with (root / "etc/group").open("a") as file:
        file.write(f"gpio:x:{GPIO_GROUP}:\n")
    (root / "etc/asound.conf").write_text(_ASOUND.format(f'"unix:{SOUND}"'))
    if (root / "etc/pulse").is_dir():
        with (root / "etc/pulse/client.conf").open("a") as file:
            file.write("\nenable-shm = no\nautospawn = no\n")


def installs(container: Container) -> str:
    said = container.without_booting("/src/scripts/install", "--edge", "--cloud")
    if said.returncode:
        raise RuntimeError(f"{said.stdout[-300:]} {said.stderr[-600:]}")
    settings = container.root / "etc/parrotlet/edge.toml"
    made = settings.read_text()
    # The sentences that are spoken here have no wake word.
    awake = made.replace('\nmode = "wake"', '\nmode = "always"')
    assert made != awake, "a new board does not wait for a wake word"
    before, section, after = awake.partition("\n[page]\n")
    settings.write_text(before + section + after.replace('# listen = ""', f'listen = "0.0.0.0:{page.PORT}"', 1))
    return "units, commands, settings, packages and Whisper's weights are there"


def try_all(trial: Trial) -> None:
    """In the booted container."""
    for unit in UNITS:
        trial.check(f"{unit} comes up with the machine, without a network", checks.is_ready, trial, unit)
        trial.check(f"{unit} is closed", checks.is_closed, trial, unit)
    trial.check("systemd-analyze", checks.is_small_target, trial)
    trial.check("a sentence is spoken", checks.answers, trial)
    trial.check("a sentence for Whisper", checks.whisper_answers, trial)
    for unit in UNITS:
        trial.check(f"{unit} is killed (SIGKILL)", checks.survives_kill, trial, unit)
    trial.check("a worker is killed (SIGKILL)", checks.worker_is_replaced, trial)
    trial.check("both are frozen (SIGSTOP)", checks.freezes_are_noticed, trial)
    trial.check("a sentence after all that", checks.answers, trial)
    trial.check("muted, then killed", checks.mute_is_kept, trial)
    for unit, fault, sentence in FAULTS:
        trial.check(f"{unit} with wrong settings", checks.faults_of_settings_are_told, trial, unit, fault, sentence)
    trial.check("fields of the journal", checks.journal_has_fields, trial)
    trial.check("what was said", checks.keeps_quiet, trial)
    trial.check("who may ask and mute", checks.members_may_mute, trial)
    trial.check("a stranger opens the page", page.knows_no_stranger, trial)
    trial.check("a phone is paired", page.pairs, trial, EDGE)
    trial.check("a phone looks on", page.shows_answers, trial)
    trial.check("the page's daemon is killed (SIGKILL)", page.stays_paired, trial, EDGE)
    trial.check("a phone is revoked", page.shuts_out, trial)
    for unit in UNITS:
        trial.check(f"{unit} takes more memory than it may", walls.limits_hold, trial, unit)
    trial.check("a board enrols", walls.keys_are_the_units_own, trial)
    trial.check("the page in place of the board", page.is_put_in_place, trial)
    trial.check("a phone without a board is paired", page.pairs, trial, page.UNIT)
    trial.check("a phone without a board speaks", page.hears_phones, trial)
    trial.check("the page is killed (SIGKILL)", page.stays_paired, trial, page.UNIT)
    trial.check("a phone without a board is revoked", page.erases, trial)
    trial.check("the board in place of the page", page.gives_way, trial)
    trial.check("what was said to phones", checks.keeps_quiet, trial)
    trial.check("upgrade in place", checks.upgrades, trial)
    trial.check("uninstall --keep-data", checks.leaves_nothing, trial, "--keep-data", DATA)
    trial.check("uninstall, of what was kept, too", checks.leaves_nothing, trial)


@click.command()
@click.argument("root", metavar="DEBIAN_ROOT", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--work", type=click.Path(exists=True, path_type=Path), default=Path("/var/tmp"), show_default=True)
def main(root: Path, work: Path) -> None:
    """Install, boot, break, upgrade and remove Parrotlet in a copy of DEBIAN_ROOT, below `--work`; needs root."""
    if os.geteuid():
        raise click.UsageError("This needs root: sudo scripts/booted DEBIAN_ROOT")
    if why := nspawn.why_not():
        raise click.UsageError(f"There can be no container here: {why}")
    with tempfile.TemporaryDirectory(dir=work, prefix="booted") as folder:
        container = Container(nspawn.copied(root, Path(folder)), ROOT)
        prepare(container.root)
        trial = Trial(container)
        print("\n| what is tried | what comes of it | s |\n|---|---|---|", flush=True)
        trial.check("scripts/install --edge --cloud", installs, container)
        if not trial.failed:
            with container.booted(), with_sound(container):
                try_all(trial)
    sys.exit(1 if trial.failed else 0)


if __name__ == "__main__":
    main()

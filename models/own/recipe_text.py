"""The recipe of a set of commands as a person reads it: TOML with what may be changed said beside it."""

import json
from collections.abc import Iterable, Sequence

from models.own.wanted import SILENCE, UNKNOWN, Wanted

HEAD = """\
# {what}: {phrases}.
# parrotlet-models train reads it. What is not here is as in models/training/recipe.py.
name = {name}
version = "1"
kind = {kind}
labels = [{labels}]
other = "unknown"
# Frames of 10 ms that the model looks at; the longest command and a little.
window_frames = {window_frames}
licence = {licence}
limits = \"\"\"Learnt from machines' voices, and from people only where sources names recordings. Who is not among \\
them is understood less well than the figures of machines' voices say. English; {one_at_a_time}.\"\"\"

# What happens to each clip before it is learnt from: noise, rooms, haste, microphones, distance.
[mixing]
versions = 3
noise_share = 0.6
noise_snr_db = [3.0, 30.0]
room_share = 0.4
speed_share = 0.8
speed = [0.8, 1.25]
tilt_share = 0.7
tilt = [-0.6, 0.5]
telephone_share = 0.1

[network]
stem = 16
channels = 64
blocks = 4

[training]
epochs = {epochs}
average = 0.995
shift_frames = 15
mask_frames = 20
# A recording of a person is seen as often as so many of machines.
people = 8.0
# Other speech is seen so many times as often as a command: more makes fewer false commands.
weights = {{ unknown = {unknown:.1f} }}
"""

COMMANDS = """
# What the board shows, and what follows: `action` is whatever your system makes of it.
"""

COMMAND = """
[commands.{label}]
text = {text}
id = {id}
title = {title}
{action}
"""
EPOCHS = 30


def recipe_text(
    name: str, commands: Sequence[Wanted], window_frames: int, licences: Iterable[str], *, wake: bool = False
) -> str:
    """Of a recipe that `read_recipe` reads."""
    head = HEAD.format(
        what="A wake word" if wake else "Commands of one's own",
        phrases=", ".join(command.text for command in commands),
        name=_quoted(name),
        kind='"wake"' if wake else '"commands"',
        labels=", ".join(map(_quoted, [*(command.label for command in commands), UNKNOWN, SILENCE])),
        window_frames=window_frames,
        licence=_quoted("Yours; voices: " + ", ".join(licences)),
        one_at_a_time="a phrase, whatever goes around it" if wake else "a command at a time and nothing around it",
        epochs=EPOCHS,
        unknown=max(2, len(commands)) if not wake else 4,
    )
    return head + COMMANDS + "".join(_command_text(command) for command in commands)


def _command_text(wanted: Wanted) -> str:
    command = wanted.command
    action = f"action = {_quoted(command.action)}" if command.action else '# action = "light.on"'
    text, title = _quoted(command.text), _quoted(command.title)
    return COMMAND.format(label=wanted.label, text=text, id=_quoted(str(command.id)), title=title, action=action)


def _quoted(text: str) -> str:
    """JSON's strings are TOML's as well."""
    return json.dumps(text, ensure_ascii=False)

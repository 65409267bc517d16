"""Settings that a person may want to give on the command line, as click options made from the settings themselves."""

import functools
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

import click

from common.commands import settings_file
from common.settings import Key, keys, load
from edge.settings import ENVIRONMENT_PREFIX, SYSTEM_FILE, EdgeSettings

CLOUD = {
    "cloud.address": "--cloud",
    "cloud.domain": "--domain",
    "cloud.language": "--language",
    "cloud.answer_s_max": "--answer-s-max",
    "device.id": "--device-id",
}
GATE = {"vad.aggressiveness": "--aggressiveness", "vad.model": "--vad-model"}
HEARING = {
    **GATE,
    "segmenter.hang_over_ms": "--hang-over-ms",
    "segmenter.utterance_s_max": "--utterance-s-max",
}
LOCAL = {"local.model": "--local-model", "local.model_dir": "--model-dir"}
MICROPHONE = {"microphone.device": "--device"}
SOCKET = {"device.runtime_dir": "--runtime-dir"}
STATE = {"device.state_dir": "--state-dir"}
ACTIVATION = {"activation.mode": "--activation"}
WAKE = {"wake.phrase": "--wake-phrase", "wake.threshold": "--wake-threshold"}
WYOMING = {"wyoming.listen": "--listen"}
PAGE = {"page.listen": "--listen"}
PAGE_OF_BOARD = {"page.listen": "--page"}
DAEMON = {**ACTIVATION, "activation.gpio": "--gpio", "log.level": "--log-level"}

_METAVARS = {
    "cloud.address": "HOST:PORT",
    "wyoming.listen": "HOST:PORT",
    "page.listen": "HOST:PORT",
    "device.runtime_dir": "DIR",
    "device.state_dir": "DIR",
    "local.model_dir": "DIR",
}
_KINDS: dict[type, Any] = {int: click.INT, float: click.FLOAT}


def with_settings(*groups: dict[str, str]) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Adds --config and the options of `groups` to a command, which takes what they make as `loaded`."""
    flags = {path: flag for group in groups for path, flag in group.items()}
    known = {key.path: key for key in keys(EdgeSettings)}

    def decorate(command: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(command)
        def wrapper(config_file: Path | None, **given: Any) -> Any:
            values = {path: given.pop(_parameter(path)) for path in flags}
            file = settings_file(config_file, ENVIRONMENT_PREFIX, SYSTEM_FILE)
            loaded = load(EdgeSettings, file=file, environment_prefix=ENVIRONMENT_PREFIX, options=values)
            return command(loaded=loaded, **given)

        described: Any = wrapper
        # The last one that is added comes first in the help.
        for option in reversed([*(_option(known[path], flag) for path, flag in flags.items()), _CONFIG]):
            described = option(described)
        complete: Callable[..., Any] = described
        return complete

    return decorate


_CONFIG = click.option(
    "--config",
    "config_file",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help=f"Settings file; else ${ENVIRONMENT_PREFIX}_CONFIG, else {SYSTEM_FILE} where it exists.",
)


def _option(key: Key, flag: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """The option's type only reads the text; the settings judge the value, so that there is one sentence for it."""
    plain = get_args(key.type)[0]
    choices = get_args(plain) if get_origin(plain) is Literal else ()
    return click.option(
        flag,
        _parameter(key.path),
        type=_KINDS.get(plain, click.STRING),
        shell_complete=(lambda context, parameter, begun: [one for one in choices if one.startswith(begun)])
        if choices
        else None,
        metavar="|".join(choices) or _METAVARS.get(key.path) or ("NUMBER" if plain in _KINDS else "NAME"),
        help=key.meta.description,
    )


def _parameter(path: str) -> str:
    return "setting_" + path.replace(".", "_")

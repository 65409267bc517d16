"""What both command lines do alike: errors as one sentence, completion, the settings file."""

import errno
import io
import os
import resource
import sys
from collections.abc import Mapping
from datetime import datetime
from importlib import import_module
from pathlib import Path
from typing import Any

import click
from click.shell_completion import get_completion_class

from common.errors import ParrotletError

UNUSABLE_INPUT = 2
"""Exit status for input or settings that cannot be used."""

_UNWRITABLE = frozenset({errno.ENOSPC, errno.EIO, errno.EBADF})


class _Moment(click.ParamType):  # type: ignore[type-arg]  # Generic in newer clicks alone.
    """A point in time, as microseconds since 1970; local where it says no zone."""

    name = "time"

    def convert(self, value: Any, parameter: click.Parameter | None, context: click.Context | None) -> int:
        try:
            return round(datetime.fromisoformat(value).timestamp() * 1_000_000)
        except (ValueError, OverflowError, OSError):
            self.fail(f"{value!r} is no time such as 2026-11-24 or 2026-11-24T18:30.", parameter, context)


MOMENT = _Moment()


class CommandGroup(click.Group):
    """A group whose commands end with one sentence and status 2 on a ParrotletError or where output cannot be
    written, and quietly on Ctrl-C (click does so when nobody reads any more)."""

    def __init__(self, *given: Any, elsewhere: Mapping[str, str] | None = None, **more: Any) -> None:
        """`elsewhere`: modules of further commands, each called there as here, read when it is asked for: a daemon is
        smaller by all that it is not."""
        super().__init__(*given, **more)
        self._elsewhere = elsewhere or {}

    def list_commands(self, context: click.Context) -> list[str]:
        return sorted({*super().list_commands(context), *self._elsewhere})

    def get_command(self, context: click.Context, name: str) -> click.Command | None:
        if name in self._elsewhere:
            found: click.Command = getattr(import_module(self._elsewhere[name]), name)
            return found
        return super().get_command(context, name)

    def main(self, *arguments: Any, **extra: Any) -> Any:
        # What was said lies in memory, ours and that of the processes we start; it shall not lie in a core file.
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        if sys.stdout is None:
            # Closed by whoever started us.
            sys.stdout = Path(os.devnull).open("w")  # noqa: SIM115 - for good.
        if isinstance(sys.stdout, io.TextIOWrapper):
            # A terminal that cannot show a character shows another.
            sys.stdout.reconfigure(errors="replace")
        return super().main(*arguments, **extra)

    def invoke(self, context: click.Context) -> Any:
        try:
            return super().invoke(context)
        except ParrotletError as error:
            click.echo(str(error), err=True)
            context.exit(UNUSABLE_INPUT)
        except OSError as error:
            if error.filename is not None or error.errno not in _UNWRITABLE:
                raise
            click.echo(f"The output cannot be written: {error.strerror}.", err=True)
            context.exit(UNUSABLE_INPUT)
        except KeyboardInterrupt:
            context.exit(130)


def completion(program: str) -> click.Command:
    """The command `completion`, which prints what a shell needs to complete this program."""

    @click.command(
        name="completion", help=f'Print shell completion.\n\n\b\nExample:\n  eval "$({program} completion bash)"'
    )
    @click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
    @click.pass_context
    def command(context: click.Context, shell: str) -> None:
        kind = get_completion_class(shell)
        assert kind is not None
        variable = f"_{program.replace('-', '_').upper()}_COMPLETE"
        click.echo(kind(context.find_root().command, {}, program, variable).source())

    return command


def settings_file(given: Path | None, environment_prefix: str, system_file: Path) -> Path | None:
    """The file to read: the option's, else the environment's, else the system's where it exists."""
    if given is not None:
        return given
    if variable := os.environ.get(f"{environment_prefix}_CONFIG"):
        return Path(variable)
    return system_file if system_file.exists() else None

"""What the service's commands have in common: options, and where the settings come from."""

from pathlib import Path
from typing import Any

import click

from cloud.settings import ENVIRONMENT_PREFIX, SYSTEM_FILE, CloudSettings
from common.commands import settings_file
from common.settings import Loaded, load

json_option = click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
config_option = click.option(
    "--config",
    "config_file",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help=f"Settings file; else ${ENVIRONMENT_PREFIX}_CONFIG, else {SYSTEM_FILE} where it exists.",
)


def _reason(context: click.Context, parameter: click.Parameter, given: str) -> str:
    if not (why := given.strip()):
        raise click.BadParameter("a reason is missing: whoever looks at the history wants to know why.")
    return why


why_option = click.option(
    "--why",
    required=True,
    metavar="TEXT",
    callback=_reason,
    help="Goes into the history, with who you are and when.",
)


def load_settings(config_file: Path | None, options: dict[str, Any]) -> Loaded[CloudSettings]:
    """The effective settings. SettingsError."""
    file = settings_file(config_file, ENVIRONMENT_PREFIX, SYSTEM_FILE)
    return load(CloudSettings, file=file, environment_prefix=ENVIRONMENT_PREFIX, options=options)

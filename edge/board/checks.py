"""What `parrotlet-edge config --check` looks at, beyond what the settings themselves refuse."""

from collections.abc import Iterator

from common.addresses import parse_address
from common.errors import ActionError, LoudspeakerError, ModelError, SettingsError
from common.settings import Loaded
from common.signature import read_secret
from edge.actions.acting import check as check_actions
from edge.actions.program import is_missing as is_missing_program
from edge.answering.lamp import open_lamp
from edge.answering.voice import open_voice
from edge.asking import wire
from edge.asking.own_model import check_commands
from edge.local.gate import open_gate
from edge.local.model import Model, is_missing
from edge.local.wake_words import open_wake_word
from edge.settings import Answer, EdgeSettings


def doubts(loaded: Loaded[EdgeSettings]) -> Iterator[str]:
    """Sentences about what a daemon would do without. SettingsError or ModelError, a sentence, if it would not start.

    A model that nobody asked for by name may be missing.
    """
    settings, spec = loaded.settings, wire.feature_spec(loaded.settings.cloud)
    if settings.cloud.address:
        parse_address(settings.cloud.address, called="cloud.address", port_min=1)
    if settings.monitoring.listen:
        parse_address(settings.monitoring.listen, called="monitoring.listen", port_min=0)
    check_actions(settings)
    for program in settings.actions.programs:
        if is_missing_program(program):
            yield f"{program.name} does nothing: {program.command[0]} is no program that may be run here."
    for webhook in settings.actions.webhooks:
        if webhook.secret_file is not None:
            try:
                read_secret(webhook.secret_file)
            except ActionError as error:
                yield f"Nothing is posted to {webhook.name}: {error}"
    yield from _doubts_of_answering(settings.answer)
    if settings.activation.mode == "wake":
        open_wake_word(settings, spec)
    of_gate: list[str] = []
    open_gate(settings, of_gate.append)
    yield from of_gate
    folder = settings.local.model_dir / settings.local.model
    if settings.local.model and (loaded.origins["local.model"] != "default" or not is_missing(folder)):
        try:
            check_commands(Model(folder, spec).card, folder)
        except ModelError as error:
            yield f"The board does not answer by itself: {error}"


def _doubts_of_answering(settings: Answer) -> Iterator[str]:
    if settings.voice != "off":
        try:
            open_voice(settings)
        except LoudspeakerError as error:
            yield f"Answers are not spoken: {error}"
    if settings.light != "off":
        try:
            open_lamp(settings.light).close()
        except (SettingsError, OSError) as error:
            yield f"There is no light: {error}"

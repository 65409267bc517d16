"""What `parrotlet-edge config --check` looks at, beyond what the settings themselves refuse."""

from collections.abc import Iterator

from common.addresses import parse_address
from common.errors import ModelError
from common.settings import Loaded
from edge.asking import wire
from edge.asking.own_model import check_commands
from edge.local.gate import open_gate
from edge.local.model import Model, is_missing
from edge.local.wake_words import open_wake_word
from edge.settings import EdgeSettings


def doubts(loaded: Loaded[EdgeSettings]) -> Iterator[str]:
    """Sentences about what a daemon would do without. SettingsError or ModelError, a sentence, if it would not start.

    A model that nobody asked for by name may be missing.
    """
    settings, spec = loaded.settings, wire.feature_spec(loaded.settings.cloud)
    if settings.cloud.address:
        parse_address(settings.cloud.address, called="cloud.address", port_min=1)
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

"""Who is asked, as a chain: the services that are set or that the board has enrolled with, then its own model."""

import logging
from typing import TYPE_CHECKING

from common.errors import ModelError
from common.settings import Loaded
from edge import directories
from edge.asking import wire
from edge.asking.answer import Path
from edge.asking.chain import Chain
from edge.asking.chain_stream import Member
from edge.asking.cloud_client import CloudClient
from edge.asking.link import Link
from edge.asking.network import Network
from edge.asking.own_model import OwnModel
from edge.device_id import device_id
from edge.keys import identity_watch
from edge.keys.identity import enrolment
from edge.models import DIRECTORY, STATE_FILE
from edge.settings import EdgeSettings

if TYPE_CHECKING:
    from edge.models.updating import Updating

PATHS: tuple[Path, ...] = ("cloud", "house")
"""Each also the name of its section of the settings, and of its identity."""


OWN_FINAL_S_MAX = 5.0
"""Loading the model for the first time takes a slow board some seconds."""

logger = logging.getLogger(__name__)


def chain_of(loaded: Loaded[EdgeSettings], *, phone: str | None = None) -> Chain:
    """Services, the best one first. SettingsError if an address cannot be one.

    `phone`: who speaks through this machine, and is a board of its own to the services."""
    network = Network()
    return Chain(network, _keepers(loaded, network, phone=phone))


def whole_chain_of(loaded: Loaded[EdgeSettings], *, explain: bool = False) -> Chain:
    """And the board's own model; a line of the log says why, where there is none. SettingsError as above.

    `explain`: answers say why they are as they are."""
    network = Network()
    keepers = _keepers(loaded, network, explain=explain)
    try:
        own = _own_model(loaded, network) if loaded.settings.local.model else None
    except ModelError as error:
        logger.warning("the board does not answer by itself: %s", error)
        own = None
    if own is not None:
        answering = own.service
        for keeper in keepers:
            keeper.service.local_model = lambda: answering.address
    return Chain(network, keepers, own, _updating(loaded, keepers, own) if own else None)


def own_chain_of(loaded: Loaded[EdgeSettings]) -> Chain:
    """The board's own model alone. ModelError, a sentence, if there is none that fits."""
    if not loaded.settings.local.model:
        raise ModelError("The board has no model of its own to answer by: local.model is empty.")
    network = Network()
    return Chain(network, [], _own_model(loaded, network))


def _own_model(loaded: Loaded[EdgeSettings], network: Network) -> Member[OwnModel]:
    local = loaded.settings.local
    folder = local.model_dir / local.model
    slots = f"{DIRECTORY}/{local.model}/{STATE_FILE}"
    # Most boards have none yet, and need not know what they are.
    if local.updates and directories.found(loaded, directories.STATE, slots):
        from edge.models.serving import serving

        folder = serving(loaded)
    own = OwnModel(folder, wire.feature_spec(loaded.settings.cloud), network)
    return Member("local", own, Link(own), OWN_FINAL_S_MAX, OWN_FINAL_S_MAX, wants_whole=True)


def _updating(
    loaded: Loaded[EdgeSettings], keepers: list[Member[CloudClient]], own: Member[OwnModel]
) -> "Updating | None":
    """By what the best service offers; nothing of it is loaded where that is not wanted."""
    if not loaded.settings.local.updates or not keepers:
        return None
    from edge.models.serving import opened
    from edge.models.updating import Updating

    best = keepers[0]
    spec, name = wire.feature_spec(loaded.settings.cloud), loaded.settings.local.model
    return Updating(lambda: opened(loaded), name, spec, best.service, best.link, own.service)


def _keepers(
    loaded: Loaded[EdgeSettings], network: Network, *, explain: bool = False, phone: str | None = None
) -> list[Member[CloudClient]]:
    members = (_member(path, loaded, network, phone, explain=explain) for path in PATHS)
    return [member for member in members if member is not None]


def _member(
    path: Path, loaded: Loaded[EdgeSettings], network: Network, phone: str | None, *, explain: bool
) -> Member[CloudClient] | None:
    """None where nobody said which service that is."""
    known = enrolment(loaded, path)
    if not known.address(identity_watch.read(known)):
        return None
    client = CloudClient(
        known.settings,
        device_id=device_id(loaded.settings.device.id),
        phone=phone,
        # Frames are coded once, whoever is asked.
        spec=wire.feature_spec(loaded.settings.cloud),
        network=network,
        enrolment=known,
        explain=explain,
    )
    return Member(path, client, Link(client), known.settings.words_s_max, known.settings.final_s_max)

"""The services that are set to be asked, or that the board has enrolled with, as a chain."""

from common.settings import Loaded
from edge.asking import wire
from edge.asking.answer import Path
from edge.asking.chain import Chain
from edge.asking.chain_stream import Member
from edge.asking.cloud_client import CloudClient
from edge.asking.link import Link
from edge.asking.network import Network
from edge.device_id import device_id
from edge.keys import identity_watch
from edge.keys.identity import enrolment
from edge.settings import EdgeSettings

PATHS: tuple[Path, ...] = ("cloud", "house")
"""Each also the name of its section of the settings, and of its identity."""


def chain_of(loaded: Loaded[EdgeSettings]) -> Chain:
    """The best one first. SettingsError if an address cannot be one."""
    network = Network()
    members = (_member(path, loaded, network) for path in PATHS)
    return Chain(network, [member for member in members if member is not None])


def _member(path: Path, loaded: Loaded[EdgeSettings], network: Network) -> Member | None:
    """None where nobody said which service that is."""
    known = enrolment(loaded, path)
    if not known.address(identity_watch.read(known)):
        return None
    client = CloudClient(
        known.settings,
        device_id=device_id(loaded.settings.device.id),
        # Frames are coded once, whoever is asked.
        spec=wire.feature_spec(loaded.settings.cloud),
        network=network,
        enrolment=known,
    )
    return Member(path, client, Link(client), known.settings.words_s_max, known.settings.final_s_max)

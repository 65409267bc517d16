"""The services that are set to be asked, as a chain."""

from edge.answer import Path
from edge.chain import Chain
from edge.chain_stream import Member
from edge.cloud_client import CloudClient
from edge.device_id import device_id
from edge.link import Link
from edge.network import Network
from edge.settings import Cloud, EdgeSettings


def chain_of(settings: EdgeSettings) -> Chain:
    """The best one first. SettingsError if an address cannot be one."""
    network = Network()
    board = device_id(settings.device.id)
    services: tuple[tuple[Path, Cloud], ...] = (("cloud", settings.cloud), ("house", settings.house))
    return Chain(network, [_member(path, said, board, network) for path, said in services if said.address])


def _member(path: Path, said: Cloud, board: str, network: Network) -> Member:
    client = CloudClient(said, device_id=board, network=network)
    return Member(path, client, Link(client), said.words_s_max, said.final_s_max)

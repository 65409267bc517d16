"""What befalls the network between a board and its service, in a namespace of its own; each a context manager."""

import contextlib
import itertools
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from benchmarks.namespaces import run
from benchmarks.victims import Board, Service

PROGRAMS = ("ip", "tc", "nft")

CLOUD_HOST, MOVED_HOST, NAME = "127.0.0.2", "127.0.0.3", "localhost"
"""Where the service is, and where it goes; the board knows it by the name."""

LAN_HOSTS = ("10.77.0.1", "10.77.0.2")
"""The same where the board has enrolled and knows an address, and mDNS tells another one."""


class Bench(NamedTuple):
    """What a fault is tried on."""

    service: Service
    board: Board
    lasts_s: float

    @property
    def port(self) -> str:
        return self.service.address.rpartition(":")[2]


@contextmanager
def loss(bench: Bench) -> Iterator[None]:
    """Of a quarter of the packets, either way."""
    with packets(bench, "numgen random mod 100 < 25 drop"):
        yield


@contextmanager
def thin(bench: Bench) -> Iterator[None]:
    """64 kbit/s, both ways together."""
    run("tc", "qdisc", "add", "dev", "lo", "root", "handle", "1:", "htb", "default", "10")
    run(
        "tc",
        "class",
        "add",
        "dev",
        "lo",
        "parent",
        "1:",
        "classid",
        "1:10",
        "htb",
        "rate",
        "10gbit",
        "quantum",
        "60000",
    )
    run(
        "tc", "class", "add", "dev", "lo", "parent", "1:", "classid", "1:20", "htb", "rate", "64kbit", "quantum", "1500"
    )
    run("tc", "qdisc", "add", "dev", "lo", "parent", "1:20", "pfifo", "limit", "50")
    try:
        with packets(bench, "meta priority set 1:20"):
            yield
    finally:
        run("tc", "qdisc", "del", "dev", "lo", "root")


@contextmanager
def black_hole(bench: Bench) -> Iterator[None]:
    """Nothing arrives, and nobody says so."""
    with packets(bench, "drop"):
        yield


@contextmanager
def restart(bench: Bench) -> Iterator[None]:
    """The service is killed, and comes back."""
    bench.service.stop()
    yield
    bench.service.start()


@contextmanager
def new_address_of_the_board(bench: Bench) -> Iterator[None]:
    """Its connections are dead from one moment to the next; new ones are not."""
    ports = ", ".join(str(port) for port in connections(int(bench.port)))
    with packets(bench, f"tcp sport {{ {ports} }} drop", f"tcp dport {{ {ports} }} drop"):
        yield


@contextmanager
def new_address_of_the_service(bench: Bench) -> Iterator[None]:
    """Its name means another address from now on."""
    bench.service.stop()
    bench.service.start(MOVED_HOST)
    write_hosts(MOVED_HOST)
    yield


@contextmanager
def service_moves(bench: Bench) -> Iterator[None]:
    """To another address of a local network, where it announces itself; nothing else tells the board."""
    bench.service.stop()
    bench.service.start(LAN_HOSTS[1])
    yield


FAULTS: dict[str, Callable[[Bench], contextlib.AbstractContextManager[None]]] = {
    "25 % loss": loss,
    "64 kbit/s": thin,
    "black hole": black_hole,
    "service restarts": restart,
    "board's address changes": new_address_of_the_board,
    "service's address changes": new_address_of_the_service,
    "service moves": service_moves,
}


@contextmanager
def packets(bench: Bench, *rules: str) -> Iterator[None]:
    """Does something to the packets from and to the service."""
    run("nft", "add table inet chaos")
    run("nft", "add chain inet chaos out { type filter hook output priority 0; }")
    try:
        for rule, side in itertools.product(rules, ("dport", "sport")):
            run("nft", f"add rule inet chaos out tcp {side} {bench.port} {rule}")
        yield
    finally:
        run("nft", "delete table inet chaos")


def connections(port: int) -> list[int]:
    """Ports of this machine that are connected to one of the service; see proc_net_tcp."""
    found = []
    for file in ("/proc/net/tcp", "/proc/net/tcp6"):
        for line in Path(file).read_text().splitlines()[1:]:
            ours, theirs, state = line.split()[1:4]
            if int(theirs.rpartition(":")[2], 16) == port and state == "01":
                found.append(int(ours.rpartition(":")[2], 16))
    return found


def make_lan() -> None:
    """A local network, of which this namespace has both ends: what is announced on one is heard there, too."""
    run("ip", "link", "add", "lan", "type", "veth", "peer", "name", "wall")
    run("ip", "link", "set", "wall", "up")
    run("ip", "link", "set", "lan", "up")
    for host in LAN_HOSTS:
        run("ip", "address", "add", f"{host}/24", "dev", "lan")


def write_hosts(address: str) -> None:
    """This namespace's own file."""
    Path("/etc/hosts").write_text(f"{address} {NAME}\n")

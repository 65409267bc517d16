import pytest

from common.addresses import Address, parse_address
from common.errors import SettingsError


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("127.0.0.1:7407", Address("127.0.0.1", 7407)),
        ("speech.example:0", Address("speech.example", 0)),
        ("[::1]:7407", Address("[::1]", 7407)),
    ],
)
def test_a_host_and_a_port_are_taken_apart(text: str, address: Address) -> None:
    assert parse_address(text, called="x", port_min=0) == address


@pytest.mark.parametrize("text", ["", "host", "host:", ":1", "host:65536", "host:٣", "http://host:1", "a b:1", "h:1\n"])
def test_what_is_no_address_is_told_with_an_example(text: str) -> None:
    with pytest.raises(SettingsError, match=r"^server.listen is '.*', but must be HOST:PORT, such as 127"):
        parse_address(text, called="server.listen", port_min=0)


def test_no_service_is_at_port_0() -> None:
    with pytest.raises(SettingsError, match="from 1 to 65535"):
        parse_address("host:0", called="cloud.address", port_min=1)

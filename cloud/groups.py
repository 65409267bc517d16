"""Which boards belong together, as the owner has put them: those of one household, or of one person."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from cloud.settings import Group
from common.errors import SettingsError
from protos.name import NAME, PHONE


class Members(NamedTuple):
    """The boards of a group; or those but one, which are the others to that one."""

    groups: "Groups"
    group: str
    devices: tuple[str, ...]
    but: str = ""

    @property
    def ranges(self) -> Sequence[tuple[str, str]]:
        """They are among the device ids from the first of each up to the second: a board, and the phones of one."""
        own = [(device, f"{device}\0") for device in self.devices]
        # The character behind "-" is ".".
        phones = [(f"{device}{PHONE}", f"{device}{PHONE[:-1]}.") for device in self.devices if PHONE not in device]
        return own + phones

    def has(self, device_id: str) -> bool:
        """Whether that is one of them."""
        return device_id != self.but and self.groups.of(device_id) == self.group


class Groups:
    """All of them."""

    def __init__(self, groups: Sequence[Group] = ()) -> None:
        """SettingsError, a sentence, if they cannot be so."""
        self._devices: dict[str, tuple[str, ...]] = {}
        self._of: dict[str, str] = {}
        for group in groups:
            if group.name in self._devices:
                raise SettingsError(f"boards.groups: there are two groups called {group.name}; put them into one.")
            self._devices[group.name] = group.devices
            for device in group.devices:
                self._put(device, group.name)

    def __iter__(self) -> Iterator[str]:
        """Their names."""
        return iter(self._devices)

    def of(self, device_id: str) -> str | None:
        """The group of a board; a phone that is not named belongs where the machine does that it speaks through."""
        return self._of.get(device_id) or self._of.get(device_id.partition(PHONE)[0])

    def members(self, group: str, *, but: str = "") -> Members:
        """The boards of a group, without that one."""
        return Members(self, group, self._devices[group], but)

    def _put(self, device: str, group: str) -> None:
        if not NAME.fullmatch(device):
            raise SettingsError(
                f"boards.groups: {device!r} in {group} cannot be a board's name; 1 to 64 characters of "
                "A-Z a-z 0-9 . _ - are allowed."
            )
        if (other := self._of.setdefault(device, group)) != group:
            raise SettingsError(f"boards.groups: {device} is in {other} and in {group}; a board is in one group.")

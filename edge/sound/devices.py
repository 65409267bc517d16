"""The microphones of this machine, as a table."""

from collections.abc import Iterable

from edge.sound.sound_device import DeviceInfo


def device_table(devices: Iterable[DeviceInfo]) -> list[str]:
    """Lines: number, name, channels, usable rates; * marks the default."""
    rows = [("", "NO", "NAME", "CHANNELS", "RATES (Hz)")]
    for device in devices:
        rates = " ".join(map(str, device.rates_hz)) or "none usable"
        rows.append(("*" if device.is_default else "", str(device.number), device.name, str(device.channels), rates))
    widths = [max(len(row[column]) for row in rows) for column in range(5)]
    return [
        f"{mark:1} {number:>{widths[1]}}  {name:<{widths[2]}}  {channels:>{widths[3]}}  {rates}"
        for mark, number, name, channels, rates in rows
    ]

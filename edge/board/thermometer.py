"""How hot the processor is."""

from pathlib import Path

ZONE = Path("/sys/class/thermal/thermal_zone0/temp")


def temperature_c(zone: Path = ZONE) -> float | None:
    """Degrees Celsius; None where the machine does not say."""
    try:
        return int(zone.read_text(encoding="ascii")) / 1000
    except (OSError, ValueError):
        return None

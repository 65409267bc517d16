"""How Home Assistant is told of a board, that it appears there by itself: one device, with what it measures and a mute
switch. See "MQTT discovery, device discovery payload" in its documentation; it wants 2024.11 or later.
"""

import re
from typing import Any

from common import VERSION


def discovery(device_id: str, base: str) -> dict[str, Any]:
    """What is told at DISCOVERY/device/OBJECT/config; `base` is where the board's own topics begin."""
    name = object_id(device_id)
    return {
        "device": {
            "identifiers": [name],
            "name": f"Parrotlet {device_id}",
            "manufacturer": "Parrotlet",
            "model": "parrotlet-edge",
            "sw_version": VERSION,
        },
        "origin": {"name": "parrotlet-edge", "sw_version": VERSION},
        "availability_topic": f"{base}/availability",
        "state_topic": f"{base}/state",
        "components": {
            key: {"unique_id": f"{name}_{key}", "value_template": f"{{{{ value_json.{key} }}}}", **component}
            for key, component in _components(base).items()
        },
    }


def object_id(device_id: str) -> str:
    """Names the device at Home Assistant, which knows letters, digits, - and _."""
    return "parrotlet_" + re.sub("[^A-Za-z0-9_-]", "_", device_id)


def _components(base: str) -> dict[str, dict[str, Any]]:
    """By key of the board's state."""
    diagnostic = {"entity_category": "diagnostic"}
    return {
        "state": {"platform": "sensor", "name": "State", "icon": "mdi:ear-hearing"},
        "transcript": {"platform": "sensor", "name": "Last transcript", "icon": "mdi:format-quote-close"},
        "intent": {"platform": "sensor", "name": "Last intent", "icon": "mdi:head-lightbulb-outline"},
        "level_dbfs": {"platform": "sensor", "name": "Level", "unit_of_measurement": "dBFS", **diagnostic},
        "snr_db": {"platform": "sensor", "name": "Signal to noise", "unit_of_measurement": "dB", **diagnostic},
        "spool_waiting": {"platform": "sensor", "name": "Waiting to be sent", "icon": "mdi:tray-full", **diagnostic},
        "link": {"platform": "binary_sensor", "name": "Service", "device_class": "connectivity", **diagnostic},
        "microphone": {"platform": "sensor", "name": "Microphone", "icon": "mdi:microphone", **diagnostic},
        "problem": {"platform": "binary_sensor", "name": "Problem", "device_class": "problem", **diagnostic},
        "muted": {
            "platform": "switch",
            "name": "Mute",
            "icon": "mdi:microphone-off",
            "command_topic": f"{base}/mute/set",
        },
    }

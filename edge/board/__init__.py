"""The daemon and its neighbours: control, status, mute, display."""

"""The board's own model in versions: fetched, tried, promoted, taken back."""

DIRECTORY = "models"
"""In device.state_dir; a folder for each model's name."""

STATE_FILE = "state.json"

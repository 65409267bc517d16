"""The board's own model in versions: fetched, tried, promoted, taken back."""

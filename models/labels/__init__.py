"""The text of recordings: how it is agreed to be written, how it is written, and what mends it."""

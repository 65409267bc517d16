"""The models that run on the board itself, and what answers by them when no service does."""

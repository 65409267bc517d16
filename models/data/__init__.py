"""Recordings and what is said in them: how a set is written down, brought in, divided and made larger."""

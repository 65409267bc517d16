"""What releases left behind, for today's code to read."""

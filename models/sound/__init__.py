"""What recordings sound like: their silence, loudness and faults, in figures."""

"""A person says commands into the board's microphone, one after the other, and what is good is kept."""

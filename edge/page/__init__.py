"""The page for phones: what the board hears and answers, as it happens, and a microphone that is everywhere."""

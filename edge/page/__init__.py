"""The page for phones: what a board hears and answers, who may see it, and a microphone that is everywhere."""

"""What changed since a model was made: what comes in, what comes out, and why."""

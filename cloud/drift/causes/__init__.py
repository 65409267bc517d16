"""Why something changed: a file a cause, each with its evidence and its sentence."""

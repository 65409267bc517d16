"""Who is told of what has changed: once a cause, by log, webhook and broker."""

"""What was said and is not acknowledged yet."""

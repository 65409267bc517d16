"""What was meant: from words to an intent with its slots, and how sure that is."""

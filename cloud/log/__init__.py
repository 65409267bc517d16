"""The utterance log: what was heard, what was answered, and what people said of it."""

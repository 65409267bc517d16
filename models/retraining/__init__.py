"""From what people said of answers to a candidate that may prove itself: one command, step by step."""

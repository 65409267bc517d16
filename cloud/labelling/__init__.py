"""A few utterances that somebody labels: which, with what chance, and where labels go."""

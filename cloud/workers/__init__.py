"""The engines at work: processes, and who of all utterances is next."""

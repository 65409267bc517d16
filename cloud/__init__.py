"""The service: takes utterances as they are spoken, decodes, searches, answers, remembers its answers."""

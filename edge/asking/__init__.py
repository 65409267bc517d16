"""Who answers an utterance, and the way there."""

"""What the board and the service must agree on: the messages, the features, how they are packed."""

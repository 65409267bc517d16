"""What the board and the service both use and is not an agreement between them. Small, and stays so."""

VERSION = "0.1.0"

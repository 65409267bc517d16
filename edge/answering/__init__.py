"""How the board answers where one stands: small sounds, a voice, a light; and how it never takes them for speech."""

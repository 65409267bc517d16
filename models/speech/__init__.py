"""What speech-v1 learns from: stretches of sound, and whether somebody speaks at their end."""

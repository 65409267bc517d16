"""Where sound comes from: microphones, files and pipes."""

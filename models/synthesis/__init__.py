"""Speech from machines that speak: many voices say the same words, and each clip says that nobody did."""

"""Labels that models doubt which never heard the clip: trained on the others, and asked what it is."""

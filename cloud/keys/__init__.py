"""Who may ask: the authority, enrolment, TLS."""

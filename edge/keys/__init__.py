"""Who this board is to its services: enrolment, certificates, where they are."""

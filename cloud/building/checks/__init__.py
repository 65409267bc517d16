"""What can be wrong with a domain, and what would make it better: a file a subject, a function a kind of fault."""

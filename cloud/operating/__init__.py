"""The operator's page on the service: which boards hear well, what was heard, what is tried, what it all costs."""

"""What is found: domains, their index, the search."""

"""Which phones may open the page: how they are paired, and the door and the guard before it."""

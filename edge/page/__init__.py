"""The page: what a phone sees of the board, and who may."""

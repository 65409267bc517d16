"""What each step of the data, and each choice of a recipe, is worth: the same training with one thing different."""

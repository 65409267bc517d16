"""From a manifest and a recipe to the int8 model that the board runs."""

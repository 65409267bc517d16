"""A person's own commands: what machines say for them, what people recorded, and a recipe to learn them by."""

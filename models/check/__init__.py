"""What can be wrong with a data set: checkers, what they find, and how it is told."""

"""How good a model is, on whom, and where it errs."""

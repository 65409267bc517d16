"""Where a model errs: by slice, what mending each would gain, and what to collect for it."""

"""What was understood is done: which action an answer holds, what runs it, and the log of what was run."""

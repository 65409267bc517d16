"""Whether answers were right: what people show, what confidence promises, when right means something else."""

"""The training of every model: one loop, exact resume, one kind of product."""

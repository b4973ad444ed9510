"""Training of every model: one trainer, exact resume, the trained model on disk."""

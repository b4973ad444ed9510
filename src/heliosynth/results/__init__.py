"""Products of a run read back, names of models, and published values."""

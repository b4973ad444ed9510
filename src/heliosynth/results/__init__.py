"""The products of a run read back, what they are called, and the published values."""

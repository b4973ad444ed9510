"""The configuration of a run, typed and validated."""

"""What the Snakefile imports: the plan of a run, code fingerprints, checks before it starts."""

"""Benchmarks: paired runs against named peers, as ratios."""

"""Metrics of generated images: pure functions of arrays, and the registry that lists them."""

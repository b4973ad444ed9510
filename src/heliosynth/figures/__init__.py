"""Figures: the registry, the style, and one module per theme."""

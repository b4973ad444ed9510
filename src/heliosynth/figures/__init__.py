"""Figures: a registry of names, and one small module a theme that draws them from products."""

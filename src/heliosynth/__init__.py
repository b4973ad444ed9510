"""A reproducible pipeline for generative models of the Sun."""

__version__ = "0.1.0"

"""A simulated observatory: raw inputs of a simulated Sun in 171 Å, in the archives' formats."""

from heliosynth.sources.simulated.observatory import simulate

__all__ = ["simulate"]

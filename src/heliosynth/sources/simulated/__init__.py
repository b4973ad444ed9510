"""A simulated observatory: a Sun in 171 Å that writes raw inputs in the archives' formats."""

from heliosynth.sources.simulated.observatory import simulate

__all__ = ["simulate"]

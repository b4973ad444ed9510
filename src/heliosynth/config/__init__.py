"""The configuration: what a run is, as typed data."""

from heliosynth.config.loading import ConfigurationError, resolve
from heliosynth.config.schema import Configuration

__all__ = ["Configuration", "ConfigurationError", "resolve"]

"""Configuration of a run: settings by section, presets, and validation."""

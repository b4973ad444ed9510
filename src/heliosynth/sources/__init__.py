"""The providers of raw inputs, one module each, with their formats and quirks."""

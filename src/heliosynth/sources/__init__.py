"""The providers of raw inputs, one module each."""

"""Images from trained models: which ones, and their generation."""

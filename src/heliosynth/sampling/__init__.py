"""Generated images: which ones to generate, and their generation."""

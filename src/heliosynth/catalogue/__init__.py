"""Labels, index and splits of the frames."""

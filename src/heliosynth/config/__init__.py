"""The configuration: what a run is, as typed data."""

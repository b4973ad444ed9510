"""Labelled images: intensities scaled, written to HDF5, and read back."""

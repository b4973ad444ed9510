"""Labelled images: scaled intensities, written to HDF5 and read back."""

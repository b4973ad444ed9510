"""From intensities to HDF5, and back."""

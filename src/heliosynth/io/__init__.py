"""Files of products: atomic writes, HDF5 with checksums, CSV with a schema, provenance."""

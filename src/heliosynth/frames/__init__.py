"""Raw frames averaged to the size of the dataset, and their quality."""

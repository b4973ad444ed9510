"""Raw frames averaged to the size of images, their quality, and their files."""

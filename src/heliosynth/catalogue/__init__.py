"""Quality, labels and splits: tables of frames, X-rays and flares in, one index out."""

"""Denoisers D(x; σ, c), noise schedules, and samplers as functions of a denoiser."""

"""Diffusion in one language: a denoiser D(x; σ, c), noise levels, and samplers of them."""

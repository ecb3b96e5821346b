"""Photos: decoded once, upright, as small squares, and kept for later runs."""

from __future__ import annotations

from training.images.decoding import RECIPE, PhotoFacts, Photos, Pixels, decode

__all__ = ["RECIPE", "PhotoFacts", "Photos", "Pixels", "decode"]

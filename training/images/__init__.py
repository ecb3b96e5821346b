"""Photos, decoded once as small upright squares and cached for later runs."""

from __future__ import annotations

from training.images.decoding import RECIPE, PhotoFacts, Photos, Pixels, decode

__all__ = ["RECIPE", "PhotoFacts", "Photos", "Pixels", "decode"]

"""Drawings of the items in the demo's photos, and of what surrounds them."""

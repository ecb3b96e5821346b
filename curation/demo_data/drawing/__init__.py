"""The drawings of the demo's photos, piece by piece."""

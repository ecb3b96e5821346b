"""Features of photos, and the linear models and nearest neighbours computed from them."""

"""Features of photos and texts, and the linear models and nearest neighbours computed from them."""

"""Odd prices: what a listing should cost, by its class, title and photo, and typing errors."""

"""Odd prices: what a listing should cost by its class, words and photo, and typing errors."""

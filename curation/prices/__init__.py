"""Prices: what is usual in a class, what a listing's own words and photo lead one to expect, and typing errors."""

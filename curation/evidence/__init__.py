"""The evidence about each listing, from photo, its text, title, price and reposts, and the belief that combines it."""

"""The evidence about each listing, from photo, title, price and reposts, and the belief that combines it."""

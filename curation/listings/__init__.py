"""The table of listings: read from any form of DATASET, checked, never modified."""

from curation.listings.read import Listings, read_listings

__all__ = ["Listings", "read_listings"]

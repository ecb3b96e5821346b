"""What lies elsewhere: tables and photos at URLs, fetched within bounds from where the user allows it."""

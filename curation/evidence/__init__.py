"""Everything that is known of each listing, from every source, before anything is flagged."""

"""What every source says about each listing, combined into one belief, before anything is flagged."""

"""What every page, plot and table shares."""

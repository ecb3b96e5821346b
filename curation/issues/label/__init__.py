"""Wrong labels: which given labels are wrong, and what they should be."""

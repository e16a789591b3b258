"""What the work costs, in values that add up."""

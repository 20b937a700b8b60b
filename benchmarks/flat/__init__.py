"""The public table for cleaning flattened text: sets with gold, runners, and one page of figures."""

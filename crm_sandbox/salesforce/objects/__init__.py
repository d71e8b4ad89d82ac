"""The standard objects of sales, with the fields, types and lengths that the real ones have."""

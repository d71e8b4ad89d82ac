"""Paired measurements: two ways of doing the same, alternately, each in a process of its own, as a ratio."""

"""Folders of files that become a world: one module for each kind of folder."""

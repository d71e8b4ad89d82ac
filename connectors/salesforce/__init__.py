"""Salesforce, read and written through its REST, Bulk and Metadata APIs."""

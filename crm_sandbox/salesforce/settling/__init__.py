"""A neutral world settles in: its things become Salesforce rows."""

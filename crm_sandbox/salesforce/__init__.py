"""A pretend Salesforce organisation."""

"""A pretend HubSpot portal."""

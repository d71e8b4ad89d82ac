"""HubSpot, read and written through its date-versioned CRM APIs."""

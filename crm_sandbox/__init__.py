"""CRMs that pretend: Salesforce and HubSpot over real HTTP, with seeded worlds and faults on demand."""

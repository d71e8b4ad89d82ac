"""What may differ between companies: settings and secrets."""

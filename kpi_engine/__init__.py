"""What the numbers are. Knows no CRM, no clock, no disk, no SQL."""

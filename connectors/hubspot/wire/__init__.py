"""HubSpot's JSON becomes our records here, in pure functions; nothing in this folder asks the network or the clock."""

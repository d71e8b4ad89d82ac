"""The Spanish twin of every English sentence that the command line says."""

SPANISH: dict[str, str] = {}

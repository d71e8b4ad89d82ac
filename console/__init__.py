"""Where people meet kpisync: the command line."""

"""The CRMs, each behind the one contract of `connectors.contract`."""

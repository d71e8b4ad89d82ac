"""The Salesforce connector: `connect(settings, secrets)` gives a `Connector`."""

from connectors.salesforce.connector import SalesforceConnector, connect
from connectors.salesforce.settings import Mappings, SalesforceSettings

__all__ = ["Mappings", "SalesforceConnector", "SalesforceSettings", "connect"]

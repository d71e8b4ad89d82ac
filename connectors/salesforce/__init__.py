"""The Salesforce connector: `connect(settings, secrets)` gives a `Connector`, `SalesforceConsent` asks a person."""

from connectors.salesforce.connector import SalesforceConnector, connect
from connectors.salesforce.consent import SalesforceConsent
from connectors.salesforce.settings import Mappings, SalesforceSettings

__all__ = ["Mappings", "SalesforceConnector", "SalesforceConsent", "SalesforceSettings", "connect"]

"""All standard objects."""

from crm_sandbox.salesforce.fields import Thing
from crm_sandbox.salesforce.objects.activities import ACTIVITIES
from crm_sandbox.salesforce.objects.people import PEOPLE
from crm_sandbox.salesforce.objects.selling import SELLING
from crm_sandbox.salesforce.objects.setup import HOUSEKEEPING

STANDARD: tuple[Thing, ...] = (*PEOPLE, *SELLING, *ACTIVITIES, *HOUSEKEEPING)

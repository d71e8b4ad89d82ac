"""The awkward cases, each under a key that says what it is: `case-…`. Every rule of the numbers meets one here."""

from crm_sandbox.seeding.cases.conversations import calls_that_need_a_rule, mail_that_needs_a_rule
from crm_sandbox.seeding.cases.deals import deals_that_need_a_rule
from crm_sandbox.seeding.cases.people import people_that_need_a_rule
from crm_sandbox.seeding.cases.plans import plans_that_need_a_rule
from crm_sandbox.seeding.diary import Diary


def everything(diary: Diary) -> None:
    """Write all the cases. They need the sellers and the campaigns."""
    people_that_need_a_rule(diary)
    mail_that_needs_a_rule(diary)
    calls_that_need_a_rule(diary)
    plans_that_need_a_rule(diary)
    deals_that_need_a_rule(diary)

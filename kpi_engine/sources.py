"""What a CRM as a whole may be unable to tell, by the names that `Company.missing` and the connectors' gaps use.

A KPI that `needs` a missing source is not available; one that it clouds carries a mark; anything else goes on without.
The left column is the contract between connectors and engine.
"""

SOURCES: dict[str, str] = {
    # whole streams that could not be read (object missing, permission or scope refused)
    "emails": "one-to-one e-mails: everything about e-mail, and touchpoints, is not available",
    "calls": "calls: everything about calls, and touchpoints, is not available",
    "meetings": "meetings: touchpoints are not available",
    "deals": "deals: everything about deals and revenue is not available",
    "leads": "leads: everything about leads is not available",
    "tasks": "planned next steps: the follow-up rate of calls is not available",
    "messages": "text messages: touchpoints go on without them",
    # what a call says about itself
    "answers": "whether a call was answered: the KPIs of answered calls, and the response rate, are not available",
    # what an e-mail says about itself
    "opens": "whether an e-mail was opened: the open rate is not available",
    "clicks": "whether a link was clicked: the click rate is not available",
    "bounces": "whether an e-mail bounced: the bounce rate is not available; every e-mail sent counts as delivered",
    "replies": "inbound e-mails: the reply rate and the response rate are not available",
    "opt_out_dates": "when a person opted out: the unsubscribe rate is not available; opt-outs hold for every period",
    # campaigns and quotas
    "campaigns": "campaigns: the return on campaigns is not available",
    "campaign_costs": "what campaigns cost: the return on campaigns is not available",
    "quotas": "quotas in the CRM: a quota that is not among the targets is not available",
    "opt_outs": "who opted out of e-mail: engagement is not available",
    "lead_channels": "where leads come from: what is divided by channel is not available",
    "deal_splits": "how deals are divided among reps: revenue of reps is not available",
    "deal_people": "who takes part in a deal: touchpoints of deals are not available",
    "email_people": "to whom e-mails went: touchpoints of deals, and the follow-up rate of calls, are not available",
    "exchange_rates": "what amounts in several currencies are worth: everything in money is not available",
    # what feeds engagement and interest; a missing one adds nothing
    "form_submissions": "dated form submissions: add nothing to engagement and interest",
    "page_views": "dated page views: add nothing to engagement",
    "documents": "minutes on documents: add nothing to engagement",
    "qualified_dates": "when a lead was qualified: adds nothing to interest",
    # marks
    "meeting_outcomes": "whether a meeting took place: values with meetings carry the mark `no_shows_unknown`",
    # not a CRM's, but named as missing by the engine itself
    "deal_sizes": "deals won with an amount: fewer than three, so that there are no size bands",
}
"""Source → what its absence means."""

NO_SHOWS_UNKNOWN = ("meeting_outcomes", "no_shows_unknown")
"""Meetings without a recorded outcome count as held; where the CRM records none, say so beside the number."""

"""From computed values to what each surface of the CRM should show.

* A KPI record for every tracked KPI, rep and period of the chosen grains, by channel or band too where the KPI has
  them. A team's records belong to its manager and say `team` where others say their dimension. `unassigned`, `all` and
  people whom the CRM does not know as users have none.
* The current month on the person, for active reps whose person record the CRM lets us write.
* The engagement score on every lead that is open.
* What was shown and is no longer true of anything (the rep's only deal of that month became someone else's) is blanked.
"""

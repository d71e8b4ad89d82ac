"""Money: exchange rates by day, and what a deal is worth in the portal's home currency."""

from collections.abc import Iterable
from datetime import timedelta
from decimal import Context, Decimal
from typing import Any
from zoneinfo import ZoneInfo

from crm_sandbox.hubspot.store import Row, Store, Values
from crm_sandbox.hubspot.values import DAY, EPOCH, iso, midnight, moment_of, plain
from crm_sandbox.world import ExchangeRate

PLACES = Decimal("1E-10")
WIDE = Context(prec=60)
"""Room for the largest amounts with all their places."""
ONE = Decimal(1)


class Rates:
    """The portal's exchange rates: one unit of a foreign currency is worth so much at home."""

    def __init__(self, store: Store, rates: Iterable[ExchangeRate]) -> None:
        self._store = store
        ordered = sorted(rates, key=lambda rate: (rate.currency, rate.starts))
        self._rates = [(rate.currency, midnight(rate.starts), ONE / rate.rate) for rate in ordered]
        self.foreign = sorted({currency for currency, _, _ in self._rates} - {store.currency})

    def rate(self, currency: str | None, moment: int) -> Decimal | None:
        """The rate of a moment's day where the portal is; before the first one, the first. None where there is none."""
        if currency in {None, self._store.currency}:
            return ONE
        known = [(starts, rate) for name, starts, rate in self._rates if name == currency]
        day = moment + self.utc_offset(moment) * 1000
        return next((rate for starts, rate in reversed(known) if starts <= day), known[0][1] if known else None)

    def current(self, now: int) -> list[dict[str, Any]]:
        """The rates of today."""
        valid = {currency: entry for entry in self._rates if entry[1] <= now for currency in [entry[0]]}
        return [self._shown(place, *entry) for place, entry in enumerate(valid.values())]

    def all(self) -> list[dict[str, Any]]:
        """Every rate there was."""
        return [self._shown(place, *entry) for place, entry in enumerate(self._rates)]

    def _shown(self, place: int, currency: str, starts: int, rate: Decimal) -> dict[str, Any]:
        return {
            "id": str(5_000 + place),
            "fromCurrencyCode": currency,
            "toCurrencyCode": self._store.currency,
            "conversionRate": float(rate),
            "effectiveAt": iso(starts),
            "visibleInUI": True,
            "createdAt": iso(starts),
            "updatedAt": iso(starts),
        }

    def utc_offset(self, moment: int) -> int:
        """Seconds by which the portal's clocks are ahead of UTC."""
        here = (EPOCH + timedelta(milliseconds=moment)).astimezone(ZoneInfo(self._store.time_zone))
        offset = here.utcoffset()
        return int(offset.total_seconds()) if offset is not None else 0

    def deal_figures(self, store: Store, row: Row, changes: Values) -> Values:
        """The calculated properties of a deal that gets these values."""
        deal = {**row.values, **changes}
        stage = self._stage(store, deal.get("dealstage"))
        closed, probability = stage.get("isClosed") == "true", Decimal(stage.get("probability", "0"))
        won = closed and probability == 1
        amount = deal.get("amount")
        closes, made = moment_of(deal.get("closedate") or ""), moment_of(deal.get("createdate") or iso(row.created))
        valued_at = closes if closed and closes is not None else store.now()
        rate = self.rate(deal.get("deal_currency_code"), valued_at)
        home = self._home(amount, rate)
        days = "0" if closes is None or made is None else str(max(0, (closes - made) // DAY))
        figures: Values = {
            "hs_is_closed": _truth(closed),
            "hs_is_closed_won": _truth(won),
            "hs_is_closed_lost": _truth(closed and not won),
            "hs_closed_won_count": "1" if won else "0",
            "hs_deal_stage_probability": plain(probability),
            "hs_deal_stage_probability_shadow": str(Decimal(float(probability))),
            "amount_in_home_currency": home,
            "hs_exchange_rate": plain(rate.quantize(PLACES)) if self.foreign and rate is not None else None,
            "hs_closed_amount": (amount or "0") if won else "0",
            "hs_closed_amount_in_home_currency": (home or "0") if won else "0",
            "hs_projected_amount": None if amount is None else plain(Decimal(amount) * probability),
            "hs_projected_amount_in_home_currency": None if home is None else plain(Decimal(home) * probability),
            "hs_forecast_amount": amount,
            "days_to_close": days,
            "hs_days_to_close_raw": days,
        }
        entered = f"hs_v2_date_entered_{deal.get('dealstage')}"
        if deal.get("dealstage") != row.values.get("dealstage") and entered not in changes:
            figures[entered] = iso(store.now())
        return figures

    def _home(self, amount: str | None, rate: Decimal | None) -> str | None:
        """A portal with one currency has no second amount."""
        if amount is None or rate is None or not self.foreign:
            return None
        return plain(
            Decimal(amount) if rate == ONE else WIDE.multiply(Decimal(amount), rate).quantize(PLACES, context=WIDE)
        )

    @staticmethod
    def _stage(store: Store, stage_id: str | None) -> dict[str, str]:
        return store.deal_stages.get(stage_id or "", {})


def _truth(value: bool) -> str:
    return "true" if value else "false"

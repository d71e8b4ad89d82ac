"""The organisation's allowance of API calls: counted, shown in a header, refused beyond it."""

from dataclasses import dataclass
from typing import Any

from crm_sandbox.salesforce.errors import Refusal


@dataclass
class Usage:
    """Calls of the last 24 hours. The count never falls by itself: a sandbox run is shorter than a day.

    app   (name, allowance): an app with an allowance of its own, which the header then tells too
    """

    most: int = 100_000
    used: int = 0
    app: tuple[str, int] | None = None

    def count(self) -> None:
        """One call more. Raises REQUEST_LIMIT_EXCEEDED beyond the allowance."""
        self.used += 1
        if self.used > self.most:
            raise Refusal(403, "REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded.")

    def header(self) -> dict[str, str]:
        whole = f"api-usage={self.used}/{self.most}"
        if self.app is None:
            return {"Sforce-Limit-Info": whole}
        name, most = self.app
        return {"Sforce-Limit-Info": f"{whole}; per-app-api-usage={self.used}/{most}(appName={name})"}

    def limits(self) -> dict[str, Any]:
        """The body of the limits resource."""

        def left(most: int, used: int = 0) -> dict[str, Any]:
            return {"Max": most, "Remaining": max(0, most - used)}

        return {
            "DailyApiRequests": {**left(self.most, self.used), "Ant Migration Tool": left(0)},
            "DailyBulkApiBatches": left(15_000),
            "DailyBulkV2QueryJobs": left(10_000),
            "DailyBulkV2QueryFileStorageMB": left(976_562),
            "DataStorageMB": left(11_000),
            "FileStorageMB": left(11_000),
            "HourlyDashboardRefreshes": left(200),
            "HourlyDashboardStatuses": left(999_999_999),
            "HourlySyncReportRuns": left(500),
        }

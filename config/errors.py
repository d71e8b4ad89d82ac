"""What is wrong with the settings or the secrets, said so that an admin can mend it."""

from kpi_engine.declaring import Text


class SettingsError(Exception):
    """One or more mistakes in `kpisync.toml`. `problems` are whole sentences, each naming its place."""

    code = "KPI-CFG-001"

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems

    def __str__(self) -> str:
        return "\n".join(f"{self.code}: {problem}" for problem in self.problems)


class SecretMissing(SettingsError):
    """A secret that a connection needs is nowhere to be found."""

    code = "KPI-CFG-002"


class VaultError(SettingsError):
    """The vault cannot be opened or written."""

    code = "KPI-CFG-003"


class OwnKpiError(SettingsError):
    """A KPI of the company's own cannot be evaluated. `place` says where it is declared."""

    code = "KPI-CFG-004"

    def __init__(self, place: str, why: Text) -> None:
        super().__init__([f"{place}: {why.en}."])
        self.place = place
        self.why = why

    def said(self, language: str) -> str:
        """The whole message in a language of the product."""
        return f"{self.code}: {self.place}: {self.why.said(language)}."

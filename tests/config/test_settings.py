"""The settings are checked whole; a mistake names its place and what would be right."""

from pathlib import Path

import pytest

from config.errors import SettingsError
from config.settings import HubSpotSection, SalesforceSection, Section, Settings, parse, read

ROOT = Path(__file__).parents[2]


def problems(text: str) -> list[str]:
    with pytest.raises(SettingsError) as caught:
        parse(text)
    return caught.value.problems


def test_an_empty_file_means_the_defaults() -> None:
    settings = parse("")
    assert settings.cache.url == "sqlite:///kpisync.db"
    assert settings.kpis.write_grains == ("week", "month", "quarter")
    assert len(settings.kpis.track) == 8
    assert settings.guards.max_changed_share == 0.3


def test_the_example_is_valid_and_names_every_setting_there_is() -> None:
    text = (ROOT / "config" / "example.toml").read_text()
    parse(text)
    for section in (Settings, *_sections(Settings), SalesforceSection, HubSpotSection):
        for name, field in section.model_fields.items():
            assert (field.alias or name) in text, f"{name} is missing from config/example.toml"


def _sections(model: type[Section]) -> list[type[Section]]:
    return [type(value) for value in vars(Settings()).values() if isinstance(value, Section)]


def test_an_unknown_key_is_named_with_its_place_and_the_nearest_valid_name() -> None:
    assert problems("[company]\ntime_zome = 'Europe/Madrid'") == [
        "kpisync.toml has an unknown setting company.time_zome (did you mean time_zone?). Known there: time_zone, "
        "fiscal_year_start, home_currency, holidays, days_off, deal_size_limits."
    ]


def test_an_unknown_key_of_a_connection_is_named_with_the_connection() -> None:
    (problem,) = problems("[connections.acme]\ncrm = 'hubspot'\nbase_ulr = 'https://api.hubapi.com'")
    assert problem.startswith("kpisync.toml has an unknown setting connections.acme.base_ulr (did you mean base_url?)")


def test_every_mistake_is_named_at_once() -> None:
    text = "[company]\nfiscal_year_start = 13\ntime_zone = 'Madrid'\n[kpis]\ntrack = ['calls_maid']"
    found = problems(text)
    assert len(found) == 3
    assert any("company.fiscal_year_start" in problem for problem in found)
    assert any("there is no time zone 'Madrid'" in problem for problem in found)
    assert any("did you mean calls_made?" in problem for problem in found)


def test_a_connection_without_a_crm_is_told_which_there_are() -> None:
    assert problems("[connections.acme]\nauth = 'token'") == [
        'kpisync.toml: connections.acme needs crm = "salesforce" or crm = "hubspot".'
    ]


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:8800", "http://localhost:8800", "http://[::1]:8800", "https://a.example"]
)
def test_plain_http_is_for_this_machine_only(url: str) -> None:
    settings = parse(f"[connections.acme]\ncrm = 'hubspot'\nbase_url = '{url}'")
    section = settings.connections["acme"]
    assert isinstance(section, HubSpotSection)
    assert section.base_url == url


@pytest.mark.parametrize(
    "url", ["http://api.hubapi.com", "http://127.0.0.1.evil.example", "ftp://127.0.0.1", "hubapi.com"]
)
def test_a_url_that_would_carry_a_token_in_the_clear_is_refused(url: str) -> None:
    (problem,) = problems(f"[connections.acme]\ncrm = 'hubspot'\nbase_url = '{url}'")
    assert "must begin with https://" in problem


def test_a_schedule_is_an_interval_or_a_cron_line() -> None:
    settings = parse("[schedule]\npull = '*/15 7-20 * * mon-fri'\nwrite = '1h'")
    assert settings.schedule.pull == "*/15 7-20 * * mon-fri"
    assert "neither an interval" in problems("[schedule]\npull = 'often'")[0]


def test_text_that_is_not_toml_is_told_where() -> None:
    assert "line 1" in problems("company]")[0]


def test_a_folder_without_settings_is_told_what_to_run(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="kpisync init"):
        read(tmp_path)

"""The pages of the documentation that list things, made from the things: `python -m console.pages` writes them again.

A test compares them with what is in the repository.
"""

from collections.abc import Callable
from functools import partial

from console.pages.commands import commands_page
from console.pages.errors import errors_page
from console.pages.kpis import kpis_page
from console.pages.own_kpis import own_kpis_page
from console.pages.settings import settings_page

PAGES: dict[str, Callable[[], str]] = {
    "kpis.md": partial(kpis_page, "en"),
    "kpis.es.md": partial(kpis_page, "es"),
    "custom-kpis.md": partial(own_kpis_page, "en"),
    "custom-kpis.es.md": partial(own_kpis_page, "es"),
    "commands.md": commands_page,
    "errors.md": partial(errors_page, "en"),
    "errors.es.md": partial(errors_page, "es"),
    "settings.md": settings_page,
}
"""File name in docs/ → the page."""

__all__ = ["PAGES"]

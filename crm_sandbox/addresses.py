"""E-mail addresses made from names, on domains that exist for nobody."""

import unicodedata


def address(name: str, company: str, number: int) -> str:
    """An address that nobody else has (a CRM keeps one contact for each)."""
    return f"{_plain(name).replace(' ', '.')}.{number}@{_plain(company).replace(' ', '-')}.example"


def seller_address(name: str, domain: str = "example.com") -> str:
    """`Mei-Mei Johns` → mei-mei.johns@example.com"""
    return f"{_plain(name).replace(' ', '.')}@{domain}"


def _plain(text: str) -> str:
    """Lower-case ASCII letters, digits, hyphens and single blanks; `x` where nothing is left."""
    letters = unicodedata.normalize("NFKD", text.lower())
    kept = "".join(letter for letter in letters if letter.isascii() and (letter.isalnum() or letter in " -"))
    return " ".join(kept.split()).strip("-") or "x"

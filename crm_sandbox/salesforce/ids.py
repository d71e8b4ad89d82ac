"""Salesforce record ids: key prefixes, the three letters that make 15 characters safe in any case, and their order."""

import re
import string

ALPHABET = string.digits + string.ascii_uppercase + string.ascii_lowercase
"""In ASCII order, so that a later record has a greater id."""

SUFFIX = string.ascii_uppercase + "012345"
POD = "Kp0"
CAPITALS = {ord(letter): "1" if letter in string.ascii_uppercase else "0" for letter in ALPHABET}


def checked(id15: str) -> str:
    """The 18-character form: one letter for each five characters says which of them are capitals."""
    bits = id15.translate(CAPITALS)
    return id15 + "".join([SUFFIX[int(bits[start : start + 5][::-1], 2)] for start in (0, 5, 10)])


def record_id(prefix: str, number: int) -> str:
    """The 18-character id of the `number`th record of a kind."""
    digits = ""
    while number:
        number, rest = divmod(number, 62)
        digits = ALPHABET[rest] + digits
    return checked(f"{prefix}{POD}{digits:0>9}")


def canonical(text: str) -> str | None:
    """The id as the API returns it, or None where `text` cannot be one.

    15 characters count in their own case; 18 may come in any case, their suffix restores the capitals.
    """
    if not re.fullmatch(r"[0-9A-Za-z]{15}([0-9A-Za-z]{3})?", text):
        return None
    if len(text) == 15:
        return checked(text)
    if checked(text[:15]) == text:
        return text
    restored = []
    for place, letter in enumerate(text[15:].upper()):
        if letter not in SUFFIX:
            return None
        capitals = SUFFIX.index(letter)
        group = text[place * 5 : place * 5 + 5].lower()
        restored.append("".join(c.upper() if capitals >> n & 1 else c for n, c in enumerate(group)))
    repaired = checked("".join(restored))
    return repaired if repaired.lower() == text.lower() else None

"""English and Spanish. The English sentence is the key; a test holds that every sentence said has its Spanish twin."""

import os
from dataclasses import dataclass
from typing import Literal

from console.spanish import SPANISH
from console.words import WORDS

Language = Literal["en", "es"]


@dataclass(frozen=True)
class Speaker:
    """Says a sentence in one language: `say("{n} records read", n=12)`; a key of ours: `say.word("no_data")`."""

    language: Language = "en"

    def __call__(self, sentence: str, /, **values: object) -> str:
        spoken = SPANISH[sentence] if self.language == "es" and sentence in SPANISH else sentence
        return spoken.format(**values) if values else spoken

    def word(self, key: str) -> str:
        """What people call a kind, a unit, a state; the key itself where it has no other name."""
        return WORDS[key].said(self.language) if key in WORDS else key


def language_of(environment: dict[str, str] | os._Environ[str] = os.environ) -> Language:
    """The language that the environment asks for: KPISYNC_LANG, else the system's, else English."""
    wanted = environment.get("KPISYNC_LANG") or environment.get("LC_ALL") or environment.get("LANG") or "en"
    return "es" if wanted.lower().startswith("es") else "en"

"""What an error code stands for, in the words of the person who meets it."""

from dataclasses import dataclass

from kpi_engine.declaring import Text


@dataclass(frozen=True)
class Entry:
    """One code: its title, why it comes and what to do."""

    code: str
    title: Text
    why: Text
    fix: Text

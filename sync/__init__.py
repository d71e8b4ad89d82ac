"""The round trip and its memory: pull → absorb → score → plan → push."""

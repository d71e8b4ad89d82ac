"""The third part of many worlds: engine and oracle agree on each."""

from .many_worlds import many_worlds

test_engine_and_oracle_agree_on_every_one_of_many_worlds = many_worlds(3)

"""The scenario library: hazards, near misses and confusing innocents, each a made capture whose
expected alerts stand in expected.toml and were written before the scenario.

kit.py has the words a scenario is written in; innocents.py, near_misses.py and hazards.py have
the scenarios; play.py makes captures of them, judge.py replays and compares, command.py is
`packlab scenarios`.
"""

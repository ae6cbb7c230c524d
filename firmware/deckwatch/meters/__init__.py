"""Derived values: each meter reads measured slots of one pack and writes derived ones; none knows
a limit's consequence. A derived value is as old as the oldest it was made of, and goes stale with
it.

A meter has update(t, now) for each round. What keeps anything from round to round has reset() for
when the scooter is switched off, and what keeps stamps saturate(now), by which old ones stay old
across the tick wrap.
"""

"""Derived values: each meter reads measured slots of one pack and writes derived ones; none knows
a limit's consequence. A derived value is as old as the oldest it was made of, and goes stale with
it.

A meter has update(t, now) for each round, reset() for when the scooter is switched off, and
saturate(now), which keeps old stamps old across the tick wrap.
"""

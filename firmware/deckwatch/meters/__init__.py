"""Derived values: each meter reads measured slots of one pack and writes derived ones; none knows a limit's consequence."""

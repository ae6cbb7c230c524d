"""Many captures at once: replayed in parallel, compared with their expected traces, written as
tables. `packlab replay DIR`, `packlab export` and the report begin here.

cases.py finds captures and knows how each is replayed, trace.py replays one, run.py many on
whatever executor executors.py gives; judge.py compares with `.exp`, junit.py and tables.py write.
"""

"""Compiled rows -> telemetry, without allocating: read() walks what rows.py made of a protocol's
literal table. The walk is in fields_viper.py, as machine code where the processor has it."""

from micropython import const

try:
    from deckwatch.fields_viper import number_at, read
except (ImportError, AttributeError, SyntaxError, ValueError):  # as in framer.py
    from deckwatch.fields_plain import number_at, read  # noqa: F401

TURNED = const(1 << 20)  # added to read()'s `start`: numbers come most significant byte first

try:
    from bench_rows import with_texts  # type: ignore[import-not-found]

    read = with_texts(read, TURNED)
except ImportError:  # on the dongle, which has no use for what a battery tells of itself
    pass

TOO_BIG = const(-0x3FFFFFFF - 1)  # what number_at gives for a number that 30 bits cannot hold

"""One file per battery family, mostly literal tables; index.py, made by tools/make_index.py, names
them.

A family offers: BAUDS, FRAMES (framings.py), STEADY (what passes by without anybody's doing, bits
of passing.py), OPEN_DC and SHORT_DC (what a failed probe reads), QUESTIONS (rows.py), and
decode(frame, packs, memory), which gives a checked frame its meaning and fills packs[frame.pack];
and for the bench what the two are compiled from, FRAMING and REQUESTS.

REQUESTS are literal rows (name, hex of the whole request, kind of frame that answers, period_ms)
of reads; nothing here writes. A family whose replies do not say all by themselves has a class
Memory; the pipeline makes one per line, hands it the owner's options by configure(config) where it
has that, and passes it to every decode. Without such a class `memory` is None.

SPARE_CELLS: its frames have room for cells that need not be fitted. A family whose controller has
error codes of its own names those that alarm in ALARMING_ERRORS and all in FAULT_NAMES, by code;
without them the scooters' codes hold (controller_errors.py).

Literal rows are for the bench to read. What the dongle needs of them is computed from them where
the file is loaded, as numbers, bytes or tuples of such: the linker puts those into the program and
leaves out rows and computation.
"""

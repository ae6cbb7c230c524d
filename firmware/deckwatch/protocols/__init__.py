"""One file per battery family, mostly literal tables; index.py, made by tools/make_index.py, names them.

A family offers: BAUDS, FRAMING (framer.py), STEADY (slots that pass by without anybody's doing), OPEN_DC and SHORT_DC (what a
failed probe reads), and decode(frame, packs), which gives a checked frame its meaning and fills packs[frame.pack].
"""

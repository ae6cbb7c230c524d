"""Fake packs: every battery family as a state machine that answers on a line, at its real speed
and times, with values of the pack model (packlab.made); `packlab fake` plays them.

families/ has a file (or folder) per family: how its frames are written, byte by byte from the
protocol sheets, what answers what, who asks on such a line, and the profiles there are. They share
nothing with the firmware's decoders, so that the two can only agree by both being right. line.py
joins a fake pack, its master and the line's faults; ports.py, feed.py and board.py carry the
result to a serial port, a file for the virtual board, and the virtual board itself.
"""

"""Bytes as levels on a wire over time, and back: what raw-edge formats are made of.

render.py draws what is known as edges, uart.py receives edges as bytes, speed.py finds how fast a
line is, channels.py joins the three to a recording. Times are whole nanoseconds.
"""

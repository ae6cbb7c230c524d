"""The virtual dongle on the air: the firmware on boards/VIRTUAL in real time (dongle.py), a
capture replayed into it (play.py), and a pretend BlueZ for the Linux programs that talk to it
(bluez.py).
"""

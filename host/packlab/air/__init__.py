"""The virtual dongle on the air: the firmware on boards/VIRTUAL in real time (dongle.py), a
capture replayed into it (play.py), and who can talk to it: programs for Linux through a pretend
BlueZ (bluez.py), centrals made of Bumble (attributes.py).
"""

"""Runs after boot.py: starts the dongle, and restarts the chip should the app ever end by
itself."""

import gc

from deckwatch.hal import power

_TIDY_BYTES = 4096


def main() -> None:
    """Until power goes; Ctrl-C on the USB console ends it and leaves time to work there."""
    gc.threshold(_TIDY_BYTES)  # or what loading leaves behind would lie between what stays
    try:
        from deckwatch.app import App

        App().run()
    except KeyboardInterrupt:
        power.loosen_watchdog()
        return
    except Exception as failure:
        power.report(failure)
    power.restart()


main()

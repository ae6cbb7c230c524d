"""What a whole image freezes: MicroPython's own set, aioble and the firmware. Needs
micropython-lib."""

include("$(PORT_DIR)/boards/manifest.py")
require("aioble")
include("manifest_app.py")

"""The firmware alone, linked: tools/firmware.py writes that folder before it builds. Needs nothing
but this checkout, so that the tests can freeze it, too."""

package("deckwatch", base_path="../../build/linked", opt=3)
module("boot.py", base_path="../../build/linked")
module("main.py", base_path="../../build/linked")

"""The firmware alone. Needs nothing but this checkout, so that the tests can freeze it, too."""

package("deckwatch", base_path="../../firmware", opt=3)
module("boot.py", base_path="../../firmware")
module("main.py", base_path="../../firmware")

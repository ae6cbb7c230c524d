"""Deckwatch's bench: captures of a battery line, their replay into the firmware, made-up packs."""

"""What the dongle finds out once, when it starts: the owner's settings, and of a line it does not
know what is on it. app.py makes a Start and lets go of this module with all it needed.
"""

from deckwatch import config
from deckwatch.hal import store
from deckwatch.hal.board import pin
from deckwatch.hal.fitted import has_radio
from deckwatch.index import PROTOCOLS

_MOST_SERIES = 32
_WIDEST_MV = 65535  # that a voltage in the advertisement can say


class Start:
    """settings: the owner's, or the defaults when they cannot be used or the dongle is in safe
    mode. baud, inverted: of the line; of one it does not know, what was found before, else by a
    search (`searched`), for which `light` and `dog` are needed. packs: how many batteries to
    watch: one, until a second has been heard that the settings allow. error: why the owner's file
    is not in force; changes: [(option, former value, new one)]. names: the guardrails', each with
    a space after it."""

    names = config.GUARDRAILS

    def __init__(self, safe: bool, light, dog) -> None:
        self.error = ""
        self.changes: list = []
        self._safe = safe
        options = {}
        if not safe:
            try:
                options = self._options()
                self.settings = config.load(options)
                self.changes = store.config_changes(options)
            except Exception as error:  # a file that is too large breaks its very reader
                self.error = repr(error)
                print("config refused: %s" % error)
                options = {}
        self.settings = config.load(options)
        self.searched = self.settings.family == config.AUTO
        self.baud = self.settings.baud
        self.inverted = False
        if self.searched:
            self._find(options, light, dog)
        self.packs = min(self.settings.packs, store.read_packs())

    def _options(self) -> dict:
        """What the owner has set; of a file that cannot be read, what it last held."""
        try:
            return store.read_config()
        except Exception as error:
            options = store.good_config()
            if not options:
                raise
            self.error = repr(error)
            print("config damaged, the last good one is in force: %s" % error)
            return options

    def _find(self, options: dict, light, dog) -> None:
        found = store.read_found()
        if found is None or found[0] not in PROTOCOLS:
            found = self._search(light, dog)
        family, self.baud, self.inverted = found
        self.settings = config.load(config.as_found(options, family, self.baud))

    def _search(self, light, dog) -> tuple:
        """(family, baud, inverted) as found on the wire now; kept, unless the wires are swapped:
        that is told at every start."""
        from deckwatch import search
        from deckwatch.detect import SWAPPED

        may_ask = bool(self.settings.probe) and self.settings.mode == "poll"
        found = search.find(light, dog, may_ask)
        if found.verdict == SWAPPED:
            print("search: only questions pass on the battery's wire: swap the two receivers")
        else:
            store.keep_found(found.family, found.baud, found.inverted)
        polarity = " inverted" if found.inverted else ""
        print("search: %s at %d%s, %d %% sure" % (
            found.family, found.baud, polarity, found.sure_pct,
        ))  # fmt: skip
        return found.family, found.baud, found.inverted

    def air(self) -> tuple:
        """(the owner's hand, still to be made; what it has to know of the settings, which are not
        kept, () = no radio)."""
        settings = self.settings
        if self._safe or not settings.bluetooth or not has_radio():
            return None, ()
        from deckwatch.settings import encode

        highest_mv = settings.full_mv * (settings.series or _MOST_SERIES)
        is_sealed = settings.advert == "encrypted"
        return None, (encode(settings), is_sealed, highest_mv > _WIDEST_MV)


def sensor():
    """The humidity sensor, None where there is none."""
    if pin("I2C_SDA") is None:
        return None
    from deckwatch.hal.damp import Damp

    damp = Damp()
    return damp if damp.is_fitted else None

"""One wire's bytes, held back until every frame in them is known, and handed on with what
identifies somebody blanked and the checks set to match."""

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import replace

from packlab.anonymise.frames import Candidate, candidates, longest
from packlab.anonymise.identities import FAMILIES, Place, blank
from packlab.capture import Chunk

# Of a known secret so many bytes in a row are recognised wherever they stand: in damaged frames,
# in frames cut short, in registers no sheet knows. Fewer would be found by chance.
WINDOW = 6
_LEAST_LETTERS = 3  # different ones; 000000 is no secret


class Secrets:
    """What was found to identify somebody, in pieces of WINDOW bytes."""

    def __init__(self) -> None:
        self._pieces: dict[bytes, bool] = {}  # to whether they are binary

    def learn(self, secret: bytes, *, binary: bool) -> None:
        """Remember an identity; short and blank ones are not worth it."""
        secret = secret.strip(b"\0 ")
        for at in range(len(secret) - WINDOW + 1):
            piece = secret[at : at + WINDOW]
            if len(set(piece)) >= _LEAST_LETTERS and blank(piece, binary=binary) != piece:
                self._pieces[piece] = binary

    def places(self, data: bytes) -> list[Place]:
        """Where pieces of known identities stand."""
        if not self._pieces:
            return []
        return [
            Place(at, at + WINDOW, binary)
            for at in range(len(data) - WINDOW + 1)
            if (binary := self._pieces.get(data[at : at + WINDOW])) is not None
        ]

    def hide(self, text: str) -> str:
        """A text of a header without them."""
        data = bytearray(text.encode())
        for place in self.places(bytes(data)):
            secret = bytes(data[place.start : place.stop])
            data[place.start : place.stop] = blank(secret, binary=False)
        return data.decode("utf-8", "replace")


class Masker:
    """Takes the chunks of one wire and gives them back, blanked, in the same order.

    asked(t_us, size): first register of a reply at that time with so many bytes, or -1.
    """

    def __init__(
        self, families: Sequence[str], secrets: Secrets, asked: Callable[[int, int], int]
    ) -> None:
        self._families = tuple(families)
        self._longest = longest(self._families)
        self._secrets = secrets
        self._asked = asked
        self._chunks: deque[Chunk] = deque()
        self._data = b""  # of the chunks, as received
        self._blanked = bytearray()  # the same, as handed on
        self._known = 0  # frames that begin before this place are dealt with

    @property
    def pending_us(self) -> int | None:
        """Time of the oldest chunk held back."""
        return self._chunks[0].t_us if self._chunks else None

    @property
    def latest_us(self) -> int:
        """Time of the latest one."""
        return self._chunks[-1].t_us if self._chunks else 0

    def feed(self, chunk: Chunk) -> list[Chunk]:
        """The chunks that are finished now."""
        self._chunks.append(chunk)
        self._data += chunk.data
        self._blanked += chunk.data
        if len(self._data) < 4 * self._longest:
            return []
        return self._release(len(self._data) - self._longest, is_end=False)

    def flush(self) -> list[Chunk]:
        """All chunks: nothing more belongs to them."""
        return self._release(len(self._data), is_end=True)

    def _release(self, known: int, *, is_end: bool) -> list[Chunk]:
        """Chunks that end before `known`, a place before which all frames that begin are whole or
        never will be."""
        self._blank(known, is_end=is_end)
        finished = []
        done = 0
        while self._chunks and done + len(self._chunks[0].data) <= known:
            chunk = self._chunks.popleft()
            end = done + len(chunk.data)
            finished.append(replace(chunk, data=bytes(self._blanked[done:end])))
            done = end
        self._data = self._data[done:]
        del self._blanked[:done]
        self._known = known - done
        return finished

    def _blank(self, known: int, *, is_end: bool) -> None:
        found = candidates(self._data, self._families, self._known, is_end=is_end)
        found = [one for one in found if one.start < known]
        whole = [one for one in found if one.is_whole]
        cut = [one for one in found if not one.is_whole and not _is_inside(one, whole)]
        places = [place for one in whole for place in self._places(one)]
        # What a damaged frame claims of a whole one is not its own.
        places += [place for one in cut for place in _outside(self._places(one), whole)]
        for place in places:
            if place.is_unique:
                self._secrets.learn(self._data[place.start : place.stop], binary=place.binary)
        places = self._secrets.places(self._data) + places
        for start, stop, binary, _ in places:
            self._blanked[start:stop] = blank(self._data[start:stop], binary=binary)
        for one in whole + cut:
            end = one.start + one.size
            if any(place.start < end and one.start < place.stop for place in places):
                self._repair(one)

    def _places(self, one: Candidate) -> list[Place]:
        """Where a frame names somebody, as places of the data."""
        frame = self._data[one.start : one.start + one.size].ljust(one.size, b"\0")
        t_us = self._time_us(one.start + one.size - 1)
        found = FAMILIES[one.family](frame, one.row, lambda size: self._asked(t_us, size))
        end = len(self._data)
        return [
            Place(one.start + start, min(one.start + stop, end), binary, is_unique)
            for start, stop, binary, is_unique in found
            if one.start + start < end
        ]

    def _time_us(self, at: int) -> int:
        end = 0
        for chunk in self._chunks:
            end += len(chunk.data)
            if at < end:
                return chunk.t_us
        return self.latest_us

    def _repair(self, one: Candidate) -> None:
        """Right where it was right, wrong by the same bits where it was wrong."""
        check = one.check
        if check is None:
            return
        before = self._data[one.start : one.start + one.size]
        after = bytes(self._blanked[one.start : one.start + one.size])
        error = check.stored(before) ^ check.computed(before)
        value = check.computed(after) ^ error
        at = one.start + check.at
        self._blanked[at : at + check.size] = value.to_bytes(check.size, check.order)


def _is_inside(one: Candidate, whole: list[Candidate]) -> bool:
    return any(other.start <= one.start < other.start + other.size for other in whole)


def _outside(places: list[Place], whole: list[Candidate]) -> list[Place]:
    """The places as far as they lie before the next whole frame."""
    clipped = []
    for place in places:
        starts = [one.start for one in whole if one.start >= place.start]
        stop = min([place.stop, *starts])
        if place.start < stop and not any(
            one.start < stop and place.start < one.start + one.size for one in whole
        ):
            clipped.append(place._replace(stop=stop))
    return clipped

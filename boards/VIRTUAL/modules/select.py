"""select.poll on the board's clock: waiting is what makes time pass; asyncio's loop waits here and
nowhere else."""

from virtual import clock as _c

POLLIN = 1
POLLOUT = 4
POLLERR = 8
POLLHUP = 16

_NONE = ()


class poll:
    """As select.poll; a wait ends on its very millisecond, or with what made an object ready."""

    def __init__(self):
        self._watched = []  # [object, events]

    def register(self, obj, eventmask=POLLIN | POLLOUT):
        for w in self._watched:
            if w[0] is obj:
                w[1] = eventmask
                return
        self._watched.append([obj, eventmask])

    modify = register

    def unregister(self, obj):
        for w in self._watched:
            if w[0] is obj:
                self._watched.remove(w)
                return

    def ipoll(self, timeout=-1, flags=0):
        if not self._watched:
            if timeout > 0:
                _c.advance(_c.ms + timeout)
            elif timeout == 0:
                _c.touch()
            else:
                _c.forever()
            return _NONE
        end_ms = _c.FAR if timeout < 0 else _c.ms + timeout
        while True:
            ready = self._ready()
            if ready or _c.ms >= end_ms:
                if not ready:
                    _c.touch()
                return ready
            self._wait(end_ms)

    poll = ipoll

    def _ready(self):
        ready = _NONE
        for obj, events in self._watched:
            got = obj.ioctl(3, events) & (events | POLLERR | POLLHUP)
            if got:
                if ready is _NONE:
                    ready = []
                ready.append((obj, got))
        return ready

    def _wait(self, end_ms):
        """Until something happens, a byte lands, or the end."""
        end = (end_ms, 0)
        for obj, _ in self._watched:
            byte = obj.next_byte() if hasattr(obj, "next_byte") else None
            if byte and byte < end:
                end = byte
        _c.step(end[0], end[1])

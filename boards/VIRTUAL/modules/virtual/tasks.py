"""Task and TaskQueue for asyncio, timed by the board's clock; run.py puts them in the place of the
C `_asyncio`.

The C module reads the host's clock by itself: with it a board starts at the host's uptime instead
of at 0, its ticks never wrap, and a run slower than the host's clock goes wrong. These two behave
as it does: first come, first served among tasks due at the same millisecond, the same states, the
same rules for waiting and cancelling (extmod/modasyncio.c of v1.25.0 is the reference; a test runs
the same app on both). Tasks stand in a sorted list: a firmware has about ten.
"""

from virtual import clock as _c

_MASK = 0x3FFFFFFF
_HALF = 0x20000000

_core = None  # the globals of asyncio.core, which every Task is made with


class TaskQueue:
    """Tasks in the order they are due."""

    def __init__(self):
        self._first = None

    def peek(self):
        return self._first

    def push(self, task, key=None):
        if key is None:
            key = _c.ms & _MASK
        task.data = None
        task.ph_key = key
        t = self._first
        if t is None or (key - t.ph_key + _HALF) & _MASK < _HALF:
            task.next = t
            self._first = task
            return
        while True:
            after = t.next
            if after is None or (key - after.ph_key + _HALF) & _MASK < _HALF:
                break
            t = after
        task.next = after
        t.next = task

    def pop(self):
        task = self._first
        self._first = task.next
        task.next = None
        return task

    def remove(self, task):
        if task is self._first:
            self.pop()
            return
        t = self._first
        while t.next is not task:
            t = t.next
        t.next = task.next
        task.next = None


class Task:
    """A coroutine that runs by itself; awaiting it waits for its end.

    state: True while it runs, a TaskQueue of those who wait for it, or a function to call at its
    end; afterwards None if nobody has waited yet, else False. data: what it waits in; an exception
    to be thrown into it; at the end its result.
    """

    def __init__(self, coro, globals=None):
        global _core
        if globals is not None:
            _core = globals
        self.coro = coro
        self.data = None
        self.state = True
        self.ph_key = 0
        self.next = None

    def __iter__(self):
        if self.state is True:
            self.state = TaskQueue()
        elif not self.state:
            self.state = False
        elif not isinstance(self.state, TaskQueue):
            raise RuntimeError("can't wait")
        return self

    def __next__(self):
        if not self.state:
            raise self.data
        waiter = _core["cur_task"]
        self.state.push(waiter)
        waiter.data = self

    def done(self):
        return not self.state

    def cancel(self):
        if not self.state:
            return False
        if self is _core["cur_task"]:
            raise RuntimeError("can't cancel self")
        task = self
        while isinstance(task.data, Task):
            task = task.data
        ready = _core["_task_queue"]
        if hasattr(task.data, "remove"):
            task.data.remove(task)
            ready.push(task)
        elif 0 < (task.ph_key - _c.ms) & _MASK < _HALF:
            ready.remove(task)
            ready.push(task)
        task.data = _core["CancelledError"]
        return True

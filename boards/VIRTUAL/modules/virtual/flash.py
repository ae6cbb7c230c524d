"""The chip's flash: the file system and the NVS, both in the state folder, both slow to commit if
a feed says so.

Files have LittleFS's promise: what was written counts from close() or flush() on, whole or not at
all. While flash is committed the processor stands still for `commit_us`; if the supply fails in
that time, the old content stays.
"""

import io
import json
import os

import vfs

from virtual import clock as _c
from virtual import state, trace

commit_us = state.before.get("flash", 0)  # how long a commit takes

_HOST = "/host"
_BLOCK = 4096
_BLOCKS = 512  # 2 MB, as on a chip of 4 MB


def mount(folder):
    """Make folder/flash the board's root and show the host's files below /host; paths inside must
    say so."""
    for name in ("flash", "pending"):
        try:
            os.mkdir(folder + "/" + name)
        except OSError:
            pass  # there already
    vfs.umount("/")
    vfs.mount(vfs.VfsPosix(), _HOST)
    vfs.mount(_Files(folder + "/flash", _HOST + folder), "/")
    os.chdir("/")


def host(path):
    """Where a path of the host's is after mount()."""
    return _HOST + path


class _Files:
    """The folder, with its files in order of name and writing made whole or not at all.

    It has a VfsPosix and is none: MicroPython would take a subclass's memory for one when it
    imports from an absolute path, and find nothing.
    """

    def __init__(self, root, state_folder):
        self._vfs = vfs.VfsPosix(root)
        self._real = _HOST + root
        self._pending = state_folder + "/pending/"

    def open(self, path, mode):
        if mode in ("r", "rb", "rt"):
            return self._vfs.open(path, mode)
        return _Written(self._full(path), self._pending + path.replace("/", "+"), mode)

    def rename(self, old, new):
        # VfsPosix with a root mixes up two absolute names
        os.rename(self._full(old), self._full(new))

    def ilistdir(self, path=""):
        return iter(sorted(self._vfs.ilistdir(path)))

    def statvfs(self, path):
        free = max(0, _BLOCKS - _used(self._real))
        return (_BLOCK, _BLOCK, _BLOCKS, free, free, 0, 0, 0, 0, 255)

    def __getattr__(self, name):
        return getattr(self._vfs, name)

    def _full(self, path):
        return self._real + (path if path[0] == "/" else self.getcwd() + "/" + path)


class _Written(io.IOBase):
    """A file open for writing: its new content lies apart until it is committed."""

    def __init__(self, path, pending, mode):
        self._path = path
        self._pending = pending
        if mode[0] == "w":
            open(path, "a").close()  # fails here, and now, where it would fail on the board
        else:
            _copy(path, pending)
        self._f = open(pending, mode)

    def write(self, data):
        return self._f.write(data)

    def read(self, *args):
        return self._f.read(*args)

    def readinto(self, buf):
        return self._f.readinto(buf)

    def readline(self):
        return self._f.readline()

    def seek(self, *args):
        return self._f.seek(*args)

    def tell(self):
        return self._f.tell()

    def flush(self):
        pause()
        _copy(self._pending, self._path)

    def close(self):
        if self._f:
            self._f.close()
            self._f = None
            pause()
            os.rename(self._pending, self._path)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


def pause():
    """Stand still for as long as a commit takes."""
    if commit_us:
        trace.line("flash %d" % commit_us)
        _c.stall(commit_us)


class Nvs:
    """The NVS partition: named numbers and blobs that stay, in spaces; changes count from commit()
    on."""

    def __init__(self, space):
        self._space = space
        self._changes = {}

    def get(self, key):
        """The value, or None."""
        if key in self._changes:
            return self._changes[key]
        return _nvs().get(self._space, {}).get(key)

    def set(self, key, value):
        """Change a value, or with None erase it."""
        self._changes[key] = value

    def commit(self):
        """Make the changes stay."""
        global _volatile
        if not self._changes:
            return
        pause()
        stored = _nvs()
        space = stored.setdefault(self._space, {})
        space.update(self._changes)
        for key in [k for k in space if space[k] is None]:
            del space[key]
        self._changes = {}
        if state.folder:
            with open(state.folder + "/nvs.json", "w") as f:
                json.dump(stored, f)
        else:
            _volatile = stored


_volatile = {}


def _nvs():
    if not state.folder:
        return _volatile
    try:
        with open(state.folder + "/nvs.json") as f:
            return json.load(f)
    except OSError:
        return {}


def _used(folder):
    """The blocks that the files in a folder take."""
    blocks = 0
    for name in os.listdir(folder):
        path = folder + "/" + name
        mode, size = os.stat(path)[0], os.stat(path)[6]
        blocks += _used(path) if mode & 0x4000 else (size + _BLOCK - 1) // _BLOCK
    return blocks


def _copy(source, target):
    with open(target, "wb") as to:
        try:
            with open(source, "rb") as f:
                while True:
                    block = f.read(1024)
                    if not block:
                        return
                    to.write(block)
        except OSError:
            pass  # a new file


def _keep():
    return commit_us


state.parts["flash"] = _keep

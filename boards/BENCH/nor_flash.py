"""A NOR flash in RAM as a block device for VfsLfs2: counts what is erased and programmed, loses
its supply after so many bytes, wears out. tests/unix/power_cut.py and boards/BENCH/wear.py use it.
"""

_EIO = 5


class NorFlash:
    """data: its content, another's where it is given. erases: of each block. left: bytes until the
    supply goes, an erase counts as one; None = it stays. worn: it takes nothing any more. gone:
    another has its data, and what files that nobody has closed write to this one goes nowhere."""

    def __init__(self, blocks, block_bytes, data=None):
        self.blocks = blocks
        self.block_bytes = block_bytes
        self.data = data or bytearray(b"\xff" * (blocks * block_bytes))
        self.erases = [0] * blocks
        self._erased = b"\xff" * block_bytes
        self.programmed = 0
        self.left = None
        self.gone = False
        self.worn = False

    def readblocks(self, block, buf, offset=0):
        if self.gone:
            return
        if self.left is not None and not self.left:
            raise OSError(_EIO)
        at = block * self.block_bytes + offset
        memoryview(buf)[:] = memoryview(self.data)[at : at + len(buf)]

    def writeblocks(self, block, buf, offset=0):
        """Programs; what is programmed was erased before, as LittleFS does it."""
        if self.gone:
            return
        if self.worn:
            raise OSError(_EIO)
        size = self._spend(len(buf))
        at = block * self.block_bytes + offset
        self.data[at : at + size] = memoryview(buf)[:size]
        self.programmed += size
        if size < len(buf):
            raise OSError(_EIO)

    def ioctl(self, operation, block):
        if operation == 4:
            return self.blocks
        if operation == 5:
            return self.block_bytes
        if operation == 6 and not self.gone:
            if self.worn:
                raise OSError(_EIO)
            size = self.block_bytes if self._spend(1) else self.block_bytes // 2
            at = block * self.block_bytes
            self.data[at : at + size] = memoryview(self._erased)[:size]
            self.erases[block] += 1
            if size < self.block_bytes:
                raise OSError(_EIO)
        return 0

    def _spend(self, size):
        """How many of so many bytes the supply is still there for."""
        if self.left is None:
            return size
        size = min(size, self.left)
        self.left -= size
        return size

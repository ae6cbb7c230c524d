"""What a receiver makes of bytes that were not sent the way it expects: bit by bit, as its
hardware would sample them.

uart.py imports this only when a line's speed, framing or polarity differs from the receiver's.
"""


def sample(data, line_baud, baud, bits, parity, flip):
    """The bytes a receiver reads out of `data`, sent 8N1 at line_baud and read at baud with so
    many bits.

    parity: whether a parity bit is expected (its value is not looked at: the chip stores the byte
    either way). flip: 1 if the receiver sees the line upside down. A start bit needs a falling
    edge and must still be low in its middle; a missing stop bit leaves the byte in place, and the
    next start waits for the line to rise, so a long low gives one zero byte, as a break does on
    the chip.
    """
    received = bytearray()
    # one bit of the line lasts `baud` units of time, one of the receiver's `line_baud`
    a, b = baud, line_baud
    while b:
        a, b = b, a % b
    line_bit = baud // a
    bit = line_baud // a
    end = len(data) * 10
    i = 0
    before = 1 ^ flip
    while i < end:
        now = _level(data, i) ^ flip
        if before and not now:
            start = i * line_bit
            if not _level(data, (start + bit // 2) // line_bit) ^ flip:
                value = 0
                for k in range(bits):
                    if _level(data, (start + bit * (2 * k + 3) // 2) // line_bit) ^ flip:
                        value |= 1 << k
                received.append(value)
                # go on from the middle of the stop bit
                i = (start + bit * (2 * (bits + parity) + 3) // 2) // line_bit
                now = _level(data, i) ^ flip
        before = now
        i += 1
    return bytes(received)


def _level(data, i):
    """The line at the i-th bit from the first start bit on; idle after the last."""
    n = i // 10
    k = i % 10
    if n >= len(data) or k == 9:
        return 1
    return data[n] >> (k - 1) & 1 if k else 0

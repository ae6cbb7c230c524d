"""AES-CCM with a tag of 4 bytes, made of the one thing MicroPython's cryptolib has, a block
cipher; advert.py seals its packets with it.

RFC 3610 with L = 2, M = 4 and no additional data. Equal to a PC's implementation in the tests.
"""

from micropython import const

_BLOCK = const(16)
_NONCE = const(13)
TAG_BYTES = const(4)


def seal(encrypt, nonce: bytes, text: bytes) -> tuple:
    """(ciphertext, tag) of a text below 64 KB. encrypt: 16 bytes -> 16 bytes under the key;
    nonce: 13 bytes, never twice with one key."""
    if len(nonce) != _NONCE:
        raise ValueError("a nonce has 13 bytes")
    mac = bytearray(encrypt(bytes((9,)) + nonce + len(text).to_bytes(2, "big")))
    out = bytearray(text)
    for start in range(0, len(text), _BLOCK):
        stream = _key_stream(encrypt, nonce, start // _BLOCK + 1)
        for i in range(min(_BLOCK, len(text) - start)):
            mac[i] ^= text[start + i]
            out[start + i] ^= stream[i]
        mac = bytearray(encrypt(bytes(mac)))
    stream = _key_stream(encrypt, nonce, 0)
    return bytes(out), bytes([mac[i] ^ stream[i] for i in range(TAG_BYTES)])


def _key_stream(encrypt, nonce: bytes, number: int) -> bytes:
    return encrypt(bytes((1,)) + nonce + number.to_bytes(2, "big"))

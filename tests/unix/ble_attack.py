"""Strangers who try everything on the owner's lock, through the whole firmware: replayed,
reordered, cut, lengthened, changed and unsigned commands, wrong keys, nonces used up or of another
link, writes to every handle; the owner's own commands, overheard, are among them."""

import random

import ble_world as w
from ble_setup import ATTEMPTS, HOT, KEY, NORMAL, SEED
from virtual import ether

OPS = ((1, 0), (2, 1), (3, 0), (4, 0), (5, 4), (6, 2), (6, 5), (7, 5))


def noise(size):
    return bytes([random.getrandbits(8) for _ in range(size)])


def pick(choices):
    return choices[random.getrandbits(16) % len(choices)]


def command(phone, nonce, key):
    op, size = pick(OPS)
    return w.Owner.sign(phone, op, noise(size), nonce) if key is None else _with(phone, key, nonce)


def _with(phone, key, nonce):
    right, phone.key = phone.key, key
    frame = phone.sign(3, b"", nonce)
    phone.key = right
    return frame


def feed():
    random.seed(SEED)
    w.frames[:] = NORMAL
    yield from w.until(2000)
    phones = []
    for number in range(3):
        phones.append(w.Owner("c0:ff:ee:00:00:0%d" % number, KEY))
        yield from w.until(2100 + 100 * number)
    yield from w.until(3000)
    overheard = []
    handles = sorted(ether.values)
    ms = 3000
    for attempt in range(ATTEMPTS):
        phone = pick(phones)
        link = phone.link
        nonce = link.read("4")
        kind = attempt % 9
        frame = bytearray(command(phone, nonce, None))
        if kind == 0:
            link.read("4")  # the nonce is not the newest any more
            overheard.append(bytes(frame))
            del overheard[:-20]
        elif kind == 1:
            frame = pick(overheard)  # replayed
        elif kind == 2:
            frame[random.getrandbits(8) % len(frame)] ^= 1 << random.getrandbits(3)
        elif kind == 3:
            frame = frame[: random.getrandbits(8) % len(frame)]
        elif kind == 4:
            frame = frame + noise(1 + random.getrandbits(8))
        elif kind == 5:
            frame = command(phone, nonce, noise(16))
        elif kind == 6:
            link = phones[(phones.index(phone) + 1) % 3].link  # of another link
            link.read("4")
        elif kind == 7:
            frame = noise(random.getrandbits(6))
        else:
            for handle in handles:
                if ether.names[handle] != "5":
                    assert ether.write(link.number, handle, noise(20)) == ether.WRITE_REFUSED
            frame = frame[:-16]  # unsigned
        assert link.write("5", bytes(frame)) == 0
        ms += pick((10, 10, 20, 50, 40, 3000 if attempt % 40 == 0 else 10))
        if attempt % 100 == 99:
            ms += 31000  # the lock opens again
        if attempt in (ATTEMPTS // 4, ATTEMPTS - 1):
            yield from w.until(ms)
            yield "%d000 heap" % (ms + 10)
            ms += 20
        if attempt == ATTEMPTS // 2:
            w.frames[:] = HOT  # and the guards go on
        yield from w.until(ms)
    ms += 31000
    yield from w.until(ms)
    print("attempts", ATTEMPTS)
    phones[0].say(1)
    yield from w.until(ms + 500)
    print("owner answered", phones[0].answer()[0])
    yield "%d000 end" % (ms + 1000)

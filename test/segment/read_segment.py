#!/usr/bin/env python3
"""Reads a telemetryd segment (.tlm), journal or sealed, and prints it as JSON.

Written from docs/SEGMENT.md alone. Needs the modules msgpack and brotli.
"""

import hashlib
import json
import sys

import brotli
import msgpack

MAGIC = b"\x89TLM\r\n\x1a\n"
GAP_KINDS = ["withheld", "stopped", "crashed", "asleep"]
STREAMS = ["steps", "times", "wideTimes", "x", "y", "keyTimes", "details", "lows"]
MOVE, DOWN, UP, WHEEL, KEYDOWN, KEYUP = range(6)


def crc32c(data):
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = (crc >> 1) ^ (0x82F63B78 if crc & 1 else 0)
    return crc ^ 0xFFFFFFFF


class Reader:
    def __init__(self, data, at=0):
        self.data, self.at = data, at

    def u8(self):
        self.at += 1
        return self.data[self.at - 1]

    def take(self, size):
        if self.at + size > len(self.data):
            raise ValueError("cut short")
        self.at += size
        return self.data[self.at - size : self.at]

    def uvarint(self):
        value, shift = 0, 0
        while True:
            byte = self.u8()
            value |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                return value

    def zigzag(self):
        return unfold(self.uvarint())


def unfold(value):
    return value // 2 if value % 2 == 0 else -((value + 1) // 2)


def frames(data):
    """Yields (type, offset, payload, end) for every whole frame, until the first that is not."""
    at = len(MAGIC)
    while at < len(data):
        reader = Reader(data, at)
        try:
            kind, size = reader.u8(), reader.uvarint()
            payload = reader.take(size)
            body_end = reader.at
            crc = int.from_bytes(reader.take(4), "little")
        except (IndexError, ValueError):
            return
        if crc != crc32c(data[at:body_end]):
            return
        yield kind, at, payload, reader.at
        at = reader.at


def header_of(payload):
    m = msgpack.unpackb(payload)

    def ident(value):
        if isinstance(value, str):
            return value
        h = value.hex()
        return h if len(value) != 16 else "-".join([h[:8], h[8:12], h[12:16], h[16:20], h[20:]])

    screen = ["x", "y", "width", "height", "scale"]
    return {
        "formatVersion": m["v"],
        "codec": m["codec"],
        "timeUnitMs": m["unit"],
        "segmentId": ident(m["id"]),
        "device": ident(m["dev"]),
        "sequence": m["seq"],
        "startWallMs": m["wall"],
        "originMonoMs": m["mono"],
        "zoneOffsetMinutes": m["zone"],
        "platform": m["os"],
        "backend": m["by"],
        "coordinates": m["xy"],
        "screens": [dict(zip(screen, s)) for s in m["scr"]],
        "redaction": m["keys"],
        "policyId": ident(m["pol"]),
        "receiptId": ident(m["rcpt"]),
        "schemaVersion": m["sv"],
        "simulated": m.get("sim", False),
        **({"ledgerHead": m["led"].hex()} if "led" in m else {}),
    }


def block_events(body, position):
    """Yields (t, kind, x, y, a, b). `position`: the pointer at the end of the block before, or None."""
    head = Reader(body)
    pairing, count = head.u8(), head.uvarint()
    start, x, y = head.zigzag(), head.zigzag(), head.zigzag()
    palette = head.take(head.u8())
    s = {name: Reader(head.take(head.uvarint())) for name in STREAMS}
    lows = s["lows"]

    def halves(data):
        return [half for byte in data for half in (byte >> 4, byte & 15)]

    steps = halves(s["steps"].data)
    if pairing == 0:
        half_x, half_y = steps[0::2], steps[1::2]
    else:
        half_x, half_y = steps[: len(steps) // 2], steps[len(steps) // 2 :]
    times = iter(halves(s["times"].data))

    def wide(name):
        byte = s[name].u8()
        if byte < 240:
            return byte
        return lows.zigzag() if byte == 255 else 240 + (byte - 240) * 256 + lows.u8()

    shown = position or (x, y)
    pointer_t = key_t = start
    step_x = step_y = key_a = key_b = 0
    for i in range(count):
        hx, code = half_x[i], half_y[i]
        a = b = 0
        other = hx == 15
        if other and code in (4, 5, 10, 11, 12, 13):
            kind = KEYDOWN if code in (4, 10, 13) else KEYUP
            key_t += wide("keyTimes")
            if code in (4, 5):
                a, b = s["details"].zigzag(), s["details"].zigzag()
            elif code in (12, 13):
                a, b = key_a, key_b | (8 if code == 13 else 0)
            if code == 4:
                key_a, key_b = a, b
            yield key_t, kind, *shown, a, b
            continue
        half = next(times)
        step = wide("wideTimes") if half == 15 else palette[half]
        pointer_t += step
        if step > 150:
            step_x = step_y = 0
        kind, moved = MOVE, True
        if other:
            moved = code in (7, 8, 9)
            if code in (6, 9):
                kind = s["details"].u8()
                a, b = s["details"].zigzag(), s["details"].zigzag()
            elif code in (2, 3):
                kind, b = WHEEL, 1 if code == 2 else -1
            else:
                kind, a = DOWN if code in (0, 7) else UP, 1
        if moved:
            fx = wide("x") if other else hx if hx < 14 else 14 + wide("x")
            fy = wide("y") if other else code if code < 14 else 14 + wide("y")
            step_x += unfold(fx)
            step_y += unfold(fy)
            x += step_x
            y += step_y
        shown = (x, y)
        yield pointer_t, kind, x, y, a, b


def wrap(value):
    """To signed 32 bits."""
    return (value + 2**31) % 2**32 - 2**31


def clip(value, low, high):
    return low if value < low else high if value > high else value


def clip2047(value):
    return clip(value, -2047, 2047)


def squash_table():
    above, power = [], 2**30
    for _ in range(2048):
        above.append(2**30 // ((2**30 + power) >> 16))
        power = power - (power >> 8) + (power >> 17)
    return [0] + [65536 - p for p in above[:0:-1]] + above


SQUASH = squash_table()  # at 2048 + d
STRETCH, _d = [], -2047
for _p in range(4096):
    while _d < 2047 and SQUASH[2048 + _d] < 16 * _p + 8:
        _d += 1
    STRETCH.append(_d)


class Bits:
    """The model and the arithmetic decoder of mixed columns."""

    def __init__(self, code):
        self.code, self.at = code, 4
        self.low, self.high = 0, 2**32 - 1
        self.value = int.from_bytes((code[:4] + bytes(4))[:4], "big")
        self.contexts = []
        self.slots = [{} for _ in range(6)]
        self.weights = {}
        self.uses = {}
        self.knots = {}

    def read(self, p):
        span = self.high - self.low
        middle = self.low + (span >> 16) * p + (((span & 65535) * p) >> 16)
        bit = 1 if self.value <= middle else 0
        if bit:
            self.high = middle
        else:
            self.low = middle + 1
        while self.low >> 24 == self.high >> 24:
            if self.at >= len(self.code) + 4:
                raise ValueError("cut short")
            byte = self.code[self.at] if self.at < len(self.code) else 0
            self.at += 1
            self.low = self.low << 8 & 0xFFFFFFFF
            self.high = (self.high << 8 | 255) & 0xFFFFFFFF
            self.value = (self.value << 8 | byte) & 0xFFFFFFFF
        return bit

    def plain(self, count):
        value = 0
        for _ in range(count):
            value = 2 * value + self.read(32768)
        return value

    def bit(self, node, set_a, set_b, contexts=None):
        contexts = self.contexts if contexts is None else contexts
        salt = ((node >> 4) + 1) * 0x2545F491
        places, values = [], []
        for i, context in enumerate(contexts):
            h = (context + salt) * 0x9E3779B1 & 0xFFFFFFFF
            place = (h >> 21) * 16 + (node & 15)
            p, count = self.slots[i].get(place, (2**21, 0))
            places.append(place)
            values.append((2560 * count // (10 * count + 6) * STRETCH[p >> 10]) >> 8)
        mixed, sets = [], [("A", set_a), ("B", set_b)]
        for name in sets:
            weights = self.weights.setdefault(name, [14000] * 7)
            total = 256 * weights[6] + sum(v * w for v, w in zip(values, weights))
            mixed.append(clip2047(wrap(total) >> 16))
        m = 2048 + ((mixed[0] + mixed[1]) >> 1)
        j, f = m >> 7, m & 127
        knots = self.knots.get(set_b)
        if knots is None:
            knots = self.knots[set_b] = [SQUASH[2048 + clip2047(128 * i - 2048)] for i in range(33)]
        refined = (knots[j] * (128 - f) + knots[j + 1] * f) >> 7
        bit = self.read(clip((SQUASH[m] + refined) >> 1, 32, 65504))

        target, goal = (65535, 2**22 - 1) if bit else (0, 0)
        j += f > 64
        knots[j] += (target - knots[j]) >> 6
        for name, at in zip(sets, mixed):
            uses = self.uses.get(name, 0)
            self.uses[name] = min(1023, uses + 1)
            error = ((target - SQUASH[2048 + at]) * (8 + 3000 // (uses + 40))) >> 4
            weights = self.weights[name]
            for i, v in list(enumerate(values)) + [(6, 256)]:
                weights[i] = wrap(weights[i] + (wrap(v * error + 8192) >> 14))
        for i, place in enumerate(places):
            p, count = self.slots[i].get(place, (2**21, 0))
            p += (((goal - p) >> 3) * (40960 // (10 * count + 17))) >> 9
            self.slots[i][place] = p, min(127, count + 1)
        return bit

    def magnitude(self, start, a, b):
        at = start
        if self.bit(3 * at, a, b):
            at += 1
            while at < 30:
                s = min(7, at - start)
                if not self.bit(3 * at + 1, a + s, b + s):
                    break
                at += 1
        else:
            while at > 0:
                s = min(15, 8 + start - at)
                if not self.bit(3 * at + 2, a + s, b + s):
                    break
                at -= 1
        if at < 4:
            return at
        if at == 30:
            return self.plain(52)
        q = 1
        for i in range(at - 2):
            predicted = i < 3
            q = 2 * q + (
                self.bit(128 + 8 * at + q, a + 16, b + 16, self.contexts[:2]) if predicted else self.plain(1)
            )
        return q

    def signed(self, start, s, n):
        negative = self.bit(400, s, s)
        value = self.magnitude(start, n, n)
        return -value if negative else value


def context(k, *parts):
    """Parts are a value, then pairs (value, width)."""
    v = parts[0]
    for value, width in parts[1:]:
        v = v << width | value
    h = (v << 5 | k) * 0x85EBCA6B & 0xFFFFFFFF
    return h ^ h >> 15


def bucket(m):
    return m if m < 4 else 30 if m >= 2**28 else m.bit_length() + 1


LEVELS = [1, 2, 3, 4, 6, 9, 14, 24, 48, 128]


def level(m):
    return sum(1 for start in LEVELS if m >= start)


def slevel(v):
    return 16 + (-level(-v) if v < 0 else level(v))


def sbucket(v):
    return 32 + (-bucket(-v) if v < 0 else bucket(v))


class Axis:
    def __init__(self, index, position):
        self.index, self.position = index, position
        self.d = self.d2 = self.e = self.e2 = self.since = self.beyond = self.speed = 0
        self.near = self.far = 16
        self.gap = 50

    def read(self, bits, other_d, other_e, c, rested, held, place, short):
        def lim(v):
            return clip(v, -30000, 30000)

        z = next((-1 if v < 0 else 1 for v in (self.d, self.e) if v), -1 if self.d2 < 0 else 1)
        v, r = lim(wrap(z * self.d)), lim(wrap(z * self.e))
        q = slevel(v)
        e = lim(wrap(-other_e if other_d < 0 else other_e))
        u = z * (self.beyond + self.speed * min(64, short)) - 256 * v
        bits.contexts = [
            context(9, c, (rested, 1), (held, 1), (sbucket(v), 6)),
            context(9, slevel(r), (slevel(lim(wrap(z * self.e2))), 5), (q, 5)),
            context(9, q, (level(abs(other_d)), 4), (slevel(e), 5), (self.index, 1)),
            context(9, 64 + clip(v, -40, 40), (64 + clip(wrap(z * self.d2), -40, 40), 7)),
            context(9, 16 + clip(self.since - self.gap, -12, 12), (q, 5), (level(min(20, self.gap)), 4)),
            context(9, 64 + clip(u >> 5, -40, 40), (min(3, place), 2)),
        ]
        start = max(0, bucket(self.near >> 4) - 2)
        g = bits.magnitude(
            start, 160 + 17 * min(9, start), 160 + 17 * (10 * self.index + min(9, bucket(self.far >> 1)))
        )
        if g == 0:
            return self.d
        h = g if g < 3 else 3 if g < 8 else 4
        w = 0 if v == 0 else 1 if r == 0 else 2 if r < 0 else 3
        less = bits.bit(400 + h, 500 + h, 505 + 5 * w + h)
        return wrap(self.d - z * g if less else self.d + z * g)

    def take_in(self, n, short):
        self.e2, self.e = self.e, wrap(n - self.d)
        self.d2, self.d = self.d, n
        size = 16 * min(2000, abs(self.e))
        self.near = (3 * self.near + size) >> 2
        self.far = (7 * self.far + size) >> 3
        big, s = 256 * clip(n, -8000, 8000), min(64, short)
        ahead = self.beyond + self.speed * s
        error = clip(big - ahead, -400000, 400000)
        self.beyond = clip(ahead + ((5 * error) >> 4) - big, -60000, 60000)
        if s:
            part = error >> 3
            self.speed += part // s if part >= 0 else -(-part // s)
            self.speed = clip(self.speed, -1000000, 1000000)
        if n:
            self.gap, self.since = self.since, 0
        self.position = wrap(self.position + n)


def mixed_events(payload):
    """Yields (t, kind, x, y, a, b) of a block of mixed columns."""
    head = Reader(payload)
    count = head.uvarint()
    start, x0, y0 = head.zigzag(), head.zigzag(), head.zigzag()
    period = head.uvarint()
    phase = head.uvarint() if period else 0
    palette = head.take(head.u8())
    bits = Bits(payload[head.at :])
    x, y = Axis(0, x0), Axis(1, y0)
    k1 = k2 = k3 = held = tick = off = rounded = 0
    last_t, place = start, 4
    steps = [0, 0, 0, 0]
    details = [[0, 0, 0] for _ in range(4)]

    def detail(s, last):
        if bits.bit(406, s, s):
            return last
        if bits.bit(407, s + 1, s + 1):
            return unfold(bits.plain(32))
        q = 1
        for _ in range(8):
            q = 2 * q + bits.bit(408 + q, s + 2, s + 2)
        return unfold(q - 256)

    def read_details(c):
        g = {1: 0, 2: 0, 3: 1, 4: 2, 5: 2}.get(c, 3)
        a1, a2, b1 = details[g]
        bits.contexts = [
            context(7, c),
            context(7, a1 & 1023, (c, 3)),
            context(7, a1 & 1023, (a2 & 1023, 10), (c, 3)),
            context(7, a2 & 1023, (k1, 3), (c, 3)),
        ]
        a = detail(100 + 3 * g, a1)
        bits.contexts = [
            context(8, c),
            context(8, b1 & 1023, (c, 3)),
            context(8, a & 1023, (c, 3)),
            context(8, a & 1023, (b1 & 1023, 10), (c, 3)),
        ]
        b = detail(525 + 3 * g, b1)
        details[g] = [a, a1 if a != a1 else a2, b]
        return a, b

    for _ in range(count):
        motion = level(abs(x.d) + abs(y.d))
        still = 1 if x.d == 0 and y.d == 0 else 0
        near = level((x.near + y.near) >> 4)
        bits.contexts = [
            context(1, k1, (0, 6), (k2, 3), (k3, 3)),
            context(1, k1, (0, 6), (held, 1), (level(steps[0]), 4), (still, 1)),
            context(1, k1, (0, 8), (motion, 4)),
            context(1, k1, (0, 1), (k2, 3), (level(steps[0]), 4), (level(steps[1]), 4)),
        ]
        if bits.bit(0, 0, 8 + 2 * k1 + held):
            c = 0
        elif bits.bit(1, 1, 1):
            c = 1 + bits.bit(4, 4, 4)
        elif bits.bit(2, 2, 2):
            c = 4 + bits.bit(5, 5, 5)
        else:
            c = 3 if bits.bit(3, 3, 3) else 6
        a = b = 0
        if c in (4, 5):
            bits.contexts = [context(6, k1), context(6, k1, (k2, 3), (c, 3)), context(6, c)]
            rounded = bits.bit(403, 116 + rounded, 116 + rounded)
            unit = 100 if rounded else 1
            t = unit * (last_t // unit + (bits.signed(1, 119, 137) if rounded else bits.signed(5, 118, 120)))
            a, b = read_details(c)
        else:
            bits.contexts = [
                context(2, steps[0], (steps[1], 10), (c, 3)),
                context(2, level(abs(x.d)), (level(abs(y.d)), 4), (k1, 3), (c, 3)),
                context(2, near, (k1, 3), (c, 3)),
                context(2, steps[0], (motion, 4), (k1, 3), (c, 3)),
                context(2, 2 + clip(x.gap - x.since, -2, 15), (2 + clip(y.gap - y.since, -2, 15), 5)),
                context(2, sum(steps)),
            ]
            for i, step in enumerate(palette):
                if bits.bit(404 + i, 24 + i, 28 + 4 * place + i):
                    place = i
                    break
            else:
                bits.contexts = [
                    context(3, c),
                    context(3, k1, (near, 4)),
                    context(3, motion, (c, 3)),
                    context(3, bucket(steps[0]), (c, 3)),
                ]
                step, place = bits.signed(6, 48, 64), 4
            tick += step
            t = start + (tick if period == 0 else (tick * period + phase) >> 20)
            if period:
                bits.contexts = [context(4, off)]
                error = bits.signed(1, 50, 81) if bits.bit(401, 49, 49) else 0
                off = 0 if error == 0 else 1 if error < 0 else 2
                t += error
            moved = 1
            if c:
                bits.contexts = [context(5, c, (k1, 3)), context(5, c, (held, 1))]
                moved = bits.bit(402, 51, 51)
                a, b = read_details(c)
                held = 1 if c == 1 else 0 if c == 2 else held
            short = clip(step, 0, 1023)
            for axis in (x, y):
                axis.since = clip(axis.since + short, 0, 1000)
            if moved:
                rested = 1 if step > (150 if period == 0 else 150 * 2**20 // period) else 0
                if rested:
                    x.d = y.d = x.speed = y.speed = 0
                facts = (c, rested, held, place, short)
                nx = x.read(bits, y.d, y.e, *facts)
                ny = y.read(bits, x.d, wrap(nx - x.d), *facts)
                x.take_in(nx, short)
                y.take_in(ny, short)
            steps = [short] + steps[:3]
        yield t, 0 if c == 6 else c, x.position, y.position, a, b
        last_t, k1, k2, k3 = t, c, k1, k2
    if bits.at < len(bits.code):
        raise ValueError("bytes left over")


def read(data):
    if not data.startswith(MAGIC):
        raise ValueError("not a segment")
    header, footer, events, gaps, clocks = None, None, [], [], []
    loss = {"thinned": 0, "redacted": 0, "dropped": 0}
    end = len(MAGIC)
    for kind, offset, payload, end in frames(data):
        reader = Reader(payload)
        if kind == 1:
            header = header_of(payload)
        elif kind == 2:
            body = payload
            if header["codec"] == "columns-brotli":
                size = reader.uvarint()
                body = brotli.decompress(payload[reader.at :])
                assert len(body) == size
            if header["codec"] == "columns-mix":
                events.extend(mixed_events(payload))
                continue
            if header["codec"] not in ("raw", "columns-brotli"):
                raise ValueError(f"codec {header['codec']} is not known to this reader")
            events.extend(block_events(body, events[-1][2:4] if events else None))
        elif kind == 3:
            footer = {
                "events": reader.uvarint(),
                "firstMonoMs": reader.zigzag(),
                "lastMonoMs": reader.zigzag(),
                "sha256": reader.take(32).hex(),
            }
            assert footer["sha256"] == hashlib.sha256(data[:offset]).hexdigest()
        elif kind == 4:
            name, begin = GAP_KINDS[reader.u8()], reader.zigzag()
            gaps.append({"kind": name, "startMonoMs": begin, "endMonoMs": begin + reader.uvarint()})
        elif kind == 5:
            raise ValueError("an encrypted journal; telemetryctl export opens it")
        elif kind == 6:
            clocks.append({"monoMs": reader.zigzag(), "wallMs": reader.zigzag()})
        elif kind == 7:
            for name in loss:
                loss[name] += reader.uvarint()
    columns = {"count": len(events)}
    for index, name in enumerate(["t", "kind", "x", "y", "a", "b"]):
        columns[name] = [event[index] for event in events]
    return {
        "header": header,
        "columns": columns,
        "gaps": gaps,
        "clocks": clocks,
        "loss": loss,
        "footer": footer,
        "tornBytes": len(data) - end,
    }


if __name__ == "__main__":
    with open(sys.argv[1], "rb") as file:
        json.dump(read(file.read()), sys.stdout)

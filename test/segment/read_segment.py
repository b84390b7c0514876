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

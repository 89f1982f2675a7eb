#!/usr/bin/env python3
"""What perf.data files hold, one JSON object a line: a second reader to hold the others against.

    raw-facts.py FILE...

Reads files, pipes and directories as simply as can be: everything in memory, one record after the other, all fields
of a sample and not only those a profile needs, so that a wrong layout shows as bytes that are left over. It shares
nothing with the readers it checks. The layouts are those of Linux, include/uapi/linux/perf_event.h, and of perf,
tools/perf/Documentation/perf.data-file-format.txt.
"""

import ctypes
import json
import os
import struct
import sys

HARDWARE = ("cycles instructions cache-references cache-misses branches branch-misses bus-cycles"
            " stalled-cycles-frontend stalled-cycles-backend ref-cycles").split()
SOFTWARE = ("cpu-clock task-clock page-faults context-switches cpu-migrations minor-faults major-faults"
            " alignment-faults emulation-faults dummy bpf-output cgroup-switches").split()
KERNEL = "[kernel.kallsyms]"


class Bytes:
    """A run of bytes in one byte order, taken from the front."""

    def __init__(self, data, order):
        self.data, self.order, self.at = data, order, 0

    def left(self):
        return len(self.data) - self.at

    def take(self, count):
        if count > self.left():
            raise EOFError
        self.at += count
        return self.data[self.at - count:self.at]

    def numbers(self, code):
        code = self.order + code
        return struct.unpack(code, self.take(struct.calcsize(code)))

    def u16(self):
        return self.numbers("H")[0]

    def u32(self):
        return self.numbers("I")[0]

    def u64(self):
        return self.numbers("Q")[0]

    def text(self):
        """Up to the first NUL of all that is left."""
        return self.take(self.left()).split(b"\0")[0].decode("utf-8", "replace")

    def string(self):
        """A length and so many bytes."""
        return Bytes(self.take(self.u32()), self.order).text()


class Event:
    def __init__(self, data, order):
        data = data[:struct.unpack_from(order + "I", data, 4)[0] or 64].ljust(128, b"\0")
        field = Bytes(data, order)
        self.type, _, self.config, self.period, self.fields, self.read_format, flags = field.numbers("IIQQQQQ")
        # On big-endian machines bit-fields begin at the other end.
        self.sample_id_all = flags >> (18 if order == "<" else 63 - 18) & 1
        self.branches = struct.unpack_from(order + "Q", data, 72)[0]
        self.user_registers, = struct.unpack_from(order + "Q", data, 80)
        self.interrupt_registers, = struct.unpack_from(order + "Q", data, 96)
        self.ids = []

    def has(self, bit):
        return self.fields >> bit & 1

    def id_at(self):
        """Which word of a sample is the id."""
        if self.has(16):
            return 0
        return sum(self.has(bit) for bit in (0, 1, 2, 3)) if self.has(6) else None

    def generic_name(self):
        table = {0: HARDWARE, 1: SOFTWARE}.get(self.type, [])
        # On hybrid machines the upper half of the config is the type of the PMU.
        if self.config % (1 << 32) < len(table):
            return table[self.config % (1 << 32)]
        return f"r{self.config:x}" if self.type == 4 else f"type {self.type} config {self.config:#x}"


class Zstd:
    """One frame that never ends, fed piece by piece."""

    class Buffer(ctypes.Structure):
        _fields_ = [("start", ctypes.c_void_p), ("size", ctypes.c_size_t), ("at", ctypes.c_size_t)]

    def __init__(self):
        self.code = ctypes.CDLL("libzstd.so.1")
        self.code.ZSTD_createDStream.restype = ctypes.c_void_p
        self.code.ZSTD_decompressStream.restype = ctypes.c_size_t
        self.stream = ctypes.c_void_p(self.code.ZSTD_createDStream())

    def __call__(self, piece):
        source, target = ctypes.create_string_buffer(piece, len(piece)), ctypes.create_string_buffer(1 << 16)
        given = self.Buffer(ctypes.cast(source, ctypes.c_void_p), len(piece), 0)
        result = bytearray()
        while True:
            made = self.Buffer(ctypes.cast(target, ctypes.c_void_p), len(target), 0)
            status = self.code.ZSTD_decompressStream(self.stream, ctypes.byref(made), ctypes.byref(given))
            if self.code.ZSTD_isError(ctypes.c_size_t(status)):
                raise EOFError
            result += target.raw[:made.at]
            if given.at == given.size and made.at < made.size:
                return bytes(result)


class Recording:
    def __init__(self, path):
        self.events, self.described, self.renamed, self.typed = [], [], {}, {}
        self.samples = self.mmaps = self.branch_samples = self.branch_entries = 0
        self.from_sum = self.to_sum = self.ip_sum = self.period_sum = 0
        self.unknown_event = self.malformed = 0
        self.build_ids, self.complete = set(), True
        parts = [path]
        if os.path.isdir(path):
            numbers = sorted(int(name[5:]) for name in os.listdir(path) if name[:5] == "data." and name[5:].isdigit())
            parts = [f"{path}/data"] + [f"{path}/data.{number}" for number in numbers]
        with open(parts[0], "rb") as file:
            data = file.read()
        self.order = {b"PERFILE2": "<", b"2ELIFREP": ">", b"PERFFILE": self.version_1_order(data)}[data[:8]]
        self.pipe = struct.unpack_from(self.order + "Q", data, 8)[0] == 16
        if self.pipe:
            self.records(data[16:])
        else:
            self.file(data)
        for part in parts[1:]:
            with open(part, "rb") as file:
                self.records(file.read())

    @staticmethod
    def version_1_order(data):
        sizes = (80, 88, 96, 112, 120)
        pipe = struct.unpack_from(">Q", data, 8)[0] == 16
        big = pipe or data[16:24] and struct.unpack_from(">Q", data, 16)[0] in sizes
        return ">" if big else "<"

    def file(self, data):
        header = Bytes(data, self.order)
        _, size, entry, attrs, attrs_size, start, length, types, types_size = header.numbers("8s8Q")
        for at in range(attrs, attrs + attrs_size - entry + 1, entry):
            event = Event(data[at:at + entry - 16], self.order)
            ids, ids_size = struct.unpack_from(self.order + "QQ", data, at + entry - 16)
            event.ids = struct.unpack_from(f"{self.order}{ids_size // 8}Q", data, ids)
            self.events.append(event)
        for at in range(types, types + types_size, 72):
            entry = Bytes(data[at:at + 72], self.order)
            config = entry.u64()
            self.typed[config] = entry.text()
        if length == 0:
            self.complete = False
            self.records(data[start:])
            return
        bitmap = header.take(32) if size >= 104 else b""
        bits = self.set_bits(bitmap, 64)
        if self.order == ">" and 3 not in bits and 3 in self.set_bits(bitmap, 32):
            bits = self.set_bits(bitmap, 32)
        table = Bytes(data[start + length:], self.order)
        for feature in bits:
            try:
                at, size = table.numbers("QQ")
                section = Bytes(data, self.order)
                section.at = min(at, len(data))
                self.feature(feature, section.take(size))
            except EOFError:
                self.complete = False
        if start + length > len(data):
            self.complete = False
        self.records(data[start:start + length])

    def set_bits(self, bitmap, width):
        """The bitmap is an array of the machine's longs. All perfs that have features set HOSTNAME's bit, 3."""
        words = struct.unpack(f"{self.order}{len(bitmap) * 8 // width}{'Q' if width == 64 else 'I'}", bitmap)
        return [width * index + bit for index, word in enumerate(words) for bit in range(width) if word >> bit & 1]

    def feature(self, number, section):
        section = Bytes(section, self.order)
        if number == 2:
            while section.left() >= 8:
                _, misc, size = section.numbers("IHH")
                self.build_id(misc, section.take(size - 8))
        elif number == 12 and section.left():
            count, attr_size = section.numbers("II")
            self.described = []
            for _ in range(count):
                section.take(attr_size)
                ids = section.u32()
                name = section.string()
                self.described.append((name, section.numbers(f"{ids}Q")))

    def build_id(self, misc, entry):
        size = entry[24] if misc & 1 << 15 else 20
        self.named_id(entry[4:24][:size], Bytes(entry[28:], self.order).text())

    def named_id(self, build_id, name):
        self.build_ids.add((build_id.hex(), KERNEL if name.startswith(KERNEL) else name))

    def records(self, data):
        """A stream of records, which may hold compressed ones."""
        stream, unpack, unpacked = Bytes(data, self.order), None, b""
        try:
            while stream.left():
                start = stream.at
                if data.startswith(b"[ perf record:", start):
                    break
                kind, misc, size = stream.numbers("IHH")
                if size < 8 and kind != 83:
                    raise EOFError
                if kind in (81, 83):
                    unpack = unpack or Zstd()
                    for piece in self.compressed(stream, kind, size):
                        unpacked = self.whole_records(unpacked + unpack(piece))
                    continue
                body = stream.take(size - 8)
                self.record(kind, misc, body)
                if kind == 66:
                    stream.take(-(-struct.unpack_from(self.order + "I", body)[0] // 8) * 8)
                elif kind == 71:
                    stream.take(struct.unpack_from(self.order + "Q", body)[0])
            if unpacked:
                raise EOFError
        except EOFError:
            self.complete = False

    @staticmethod
    def compressed(stream, kind, size):
        """What is compressed in a record. perf 6.16 lets sizes overflow that are too large for a record's header."""
        if kind == 81:
            return [stream.take(size - 8)]
        length = stream.u64()
        if -(-(16 + length) // 8) * 8 <= size:
            return [stream.take(size - 16)[:length]]
        if length <= 65519:
            return [stream.take(length)]
        pieces, end = [stream.take(65519)], stream.at + length
        while stream.at < end:
            _, _, size, _ = stream.numbers("IHHQ")
            pieces.append(stream.take(size - 16))
        return pieces

    def whole_records(self, data):
        """Takes the records that are whole; returns the rest."""
        at = 0
        while at + 8 <= len(data):
            kind, misc, size = struct.unpack_from(self.order + "IHH", data, at)
            if at + size > len(data):
                break
            if size < 8:
                raise EOFError
            self.record(kind, misc, data[at + 8:at + size])
            at += size
        return data[at:]

    def record(self, kind, misc, body):
        body = Bytes(body, self.order)
        if kind == 9:
            self.samples += 1
            event = self.event_of(body.data)
            if event is None:
                self.unknown_event += 1
                return
            # If the PMU had no entries, the kernel writes a single zero without the index in the ring.
            for index_of_empty in (True, False):
                try:
                    self.sample(event, Bytes(body.data, self.order), index_of_empty)
                    return
                except EOFError:
                    pass
            self.malformed += 1
        elif kind in (1, 10):
            self.mmaps += 1
            if kind == 10 and misc & 1 << 14:
                size = body.data[32]
                self.named_id(body.data[36:36 + min(size, 20)], Bytes(body.data[64:], self.order).text())
        elif kind == 64:
            size = struct.unpack_from(self.order + "I", body.data, 4)[0] or 64
            event = Event(body.take(size), self.order)
            event.ids = body.numbers(f"{body.left() // 8}Q")
            self.events.append(event)
        elif kind == 65:
            config = body.u64()
            self.typed[config] = body.text()
        elif kind == 67:
            self.build_id(misc, body.data)
        elif kind == 78 and body.u64() == 2:
            number = body.u64()
            self.renamed[number] = body.text()
        elif kind == 80:
            self.feature(body.u64(), body.take(body.left()))

    def event_of(self, body):
        if not self.events:
            return None
        if len(self.events) == 1 or not any(event.ids for event in self.events) and not self.described:
            return self.events[0]
        at = self.events[0].id_at()
        if at is None:
            return self.events[0]
        number, = struct.unpack_from(self.order + "Q", body, 8 * at)
        if number == 0:
            return self.events[0]
        ids = [event.ids or self.described[index][1] for index, event in enumerate(self.events)]
        return next((event for event, known in zip(self.events, ids) if number in known), None)

    def sample(self, event, body, index_of_empty):
        has = event.has
        word = lambda bit: body.u64() if has(bit) else 0
        word(16)
        ip, *_ = [word(bit) for bit in (0, 1, 2, 3, 6, 9, 7)]
        period = body.u64() if has(8) else event.period
        if has(4):
            enabled, running, identity, group, lost = (event.read_format >> bit & 1 for bit in range(5))
            values = body.u64() if group else 1
            body.take(8 * (enabled + running + values * (1 + identity + lost)))
        if has(5):
            body.take(8 * body.u64())
        if has(10):
            body.take(body.u32())
        # Behind the last field there may be a word of counters for each entry, if the group's leader asks for it.
        entries = self.branch_stack(event, body, index_of_empty) if has(11) else 0
        for bit, mask in ((12, event.user_registers), (18, event.interrupt_registers)):
            if bit == 18:
                for other in (14, 24, 15, 17):
                    word(other)
            if has(bit) and body.u64():
                body.take(8 * mask.bit_count())
            if bit == 12 and has(13):
                size = body.u64()
                body.take(size + 8 if size else 0)
        for bit in (19, 21, 22, 23):
            word(bit)
        if has(20):
            body.take(body.u64())
        if body.left() not in (0, 8 * entries) and event.fields < 1 << 25:
            raise ValueError(f"{body.left()} bytes of a sample are left over")
        self.ip_sum = (self.ip_sum + ip) % (1 << 64)
        self.period_sum = (self.period_sum + period) % (1 << 64)

    def branch_stack(self, event, body, index_of_empty):
        count = body.u64()
        if event.branches >> 17 & 1 and (count or index_of_empty):
            body.u64()
        entries = body.take(24 * count)
        self.branch_samples += count > 0
        self.branch_entries += count
        for source, target, _ in struct.iter_unpack(self.order + "QQQ", entries):
            self.from_sum = (self.from_sum + source) % (1 << 64)
            self.to_sum = (self.to_sum + target) % (1 << 64)
        return count

    def names(self):
        by_id = {number: name for name, ids in self.described for number in ids}
        for index, event in enumerate(self.events):
            known = [by_id.get(number) or self.renamed.get(number) for number in event.ids]
            in_order = self.described[index][0] if len(self.described) == len(self.events) else None
            yield next(filter(None, known), in_order or self.typed.get(event.config) or event.generic_name())

    def facts(self):
        return {
            "samples": self.samples,
            "mmaps": self.mmaps,
            "branchSamples": self.branch_samples,
            "branchEntries": self.branch_entries,
            "branchFromSum": f"{self.from_sum:016x}",
            "branchToSum": f"{self.to_sum:016x}",
            "ipSum": f"{self.ip_sum:016x}",
            "periodSum": self.period_sum,
            "unknownEvent": self.unknown_event,
            "malformed": self.malformed,
            "events": list(self.names()),
            "buildIds": sorted(map(list, self.build_ids)),
            "endian": "little" if self.order == "<" else "big",
            "pipe": self.pipe,
            "complete": self.complete,
        }


for path in sys.argv[1:]:
    print(json.dumps({"path": path, **Recording(path).facts()}))

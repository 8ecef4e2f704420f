#!/usr/bin/env python3
"""Reads .vdsq files: an independent implementation of docs/format.md in numpy.

    vdsq_reader.py FILE                          configuration, sections and tensors
    vdsq_reader.py FILE --tensor NAME -o X.npy   a tensor's values as float32
"""
import argparse
import struct
import zlib

import numpy as np

MAGIC = bytes.fromhex("89564453510d0a1a")
SECTION_KINDS = {1: "metadata", 2: "tensors", 3: "tokenizer", 4: "provenance", 5: "weights"}
FILE_KINDS = {1: "model", 2: "adapter", 3: "bases", 4: "lens", 5: "directions"}
F32, F16, INT8, BITS2, BITS4, INT4 = 1, 2, 3, 4, 5, 6
ROWS, PANELS, BLOCKS, GROUPS, ROW_GROUPS = 1, 2, 3, 4, 5
CHUNK = 1 << 16


def require(condition, message):
    if not condition:
        raise ValueError(message)


def lz4_block(block, length):
    """Decodes an LZ4 block that is `length` bytes long."""
    out, at = bytearray(), 0

    def extended(nibble):
        nonlocal at
        size = nibble
        while nibble == 15:
            size += block[at]
            at += 1
            if block[at - 1] < 255:
                break
        return size

    while at < len(block):
        token = block[at]
        at += 1
        literals = extended(token >> 4)
        require(at + literals <= len(block), "LZ4: literals end early")
        out += block[at:at + literals]
        at += literals
        if at == len(block):
            break
        distance = block[at] | block[at + 1] << 8
        at += 2
        size = extended(token & 15) + 4
        require(0 < distance <= len(out) and len(out) + size <= length, "LZ4: a match out of range")
        for _ in range(size):
            out.append(out[-distance])
    require(len(out) == length, "LZ4: a chunk of another length")
    return bytes(out)


def decode(data, length):
    """The decoded bytes of a compressed section."""
    require(length <= 64 * len(data), "a section claims to decode to more than 64 times its length")
    count = -(-length // CHUNK)
    table, out, at = len(data) - 4 * count, [], 0
    for i in range(count):
        entry = struct.unpack_from("<I", data, table + 4 * i)[0]
        size, planes = entry & 0xFFFFFF, 1 << (entry >> 24 & 3)
        block, raw = data[at:at + size], min(CHUNK, length - i * CHUNK)
        chunk = bytes(block) if entry >> 31 else lz4_block(block, raw)
        elements = raw // planes
        body = np.frombuffer(chunk, np.uint8)[:elements * planes].reshape(planes, elements)
        out.append(body.T.tobytes() + chunk[elements * planes:])
        at += size
    require(at == table, "a section's chunks do not fill it")
    return b"".join(out)


class Reader:
    def __init__(self, path):
        data = open(path, "rb").read()
        require(data[:8] == MAGIC, "not a .vdsq file")
        version, kind, length, table, count, table_crc = struct.unpack_from("<IIQQII", data, 8)
        require(zlib.crc32(data[:60]) == struct.unpack_from("<I", data, 60)[0], "the header is damaged")
        require(version == 1, f"version {version}")
        require(length == len(data), "the file was cut or extended")
        self.kind = FILE_KINDS[kind]
        require(zlib.crc32(data[table:table + 64 * count]) == table_crc, "the section table is damaged")
        self.sections = []
        for i in range(count):
            kind, encoding, offset, length, raw, crc, _ = struct.unpack_from("<IIQQQII", data, table + 64 * i)
            name = data[table + 64 * i + 40:table + 64 * i + 64].rstrip(b"\0").decode()
            stored = data[offset:offset + length]
            require(offset % 64 == 0 and len(stored) == length, f"section {name} lies outside of the file")
            require(zlib.crc32(stored) == crc, f"section {name} is damaged")
            require(encoding in (0, 1), f"section {name} has encoding {encoding}")
            contents = decode(stored, raw) if encoding else stored
            self.sections.append((SECTION_KINDS[kind], name, contents))
        self.metadata = self._metadata(self._section("metadata"))
        self.tensors = self._directory(self._section("tensors"))

    def _section(self, kind):
        return next(contents for k, _, contents in self.sections if k == kind)

    @staticmethod
    def _metadata(data):
        at, result = 0, {}
        while at < len(data):
            size = struct.unpack_from("<H", data, at)[0]
            key, kind, at = data[at + 2:at + 2 + size].decode(), data[at + 2 + size], at + 3 + size
            if kind == 3:
                size = struct.unpack_from("<I", data, at)[0]
                result[key], at = data[at + 4:at + 4 + size].decode(), at + 4 + size
            else:
                result[key], at = struct.unpack_from("<q" if kind == 1 else "<d", data, at)[0], at + 8
        return result

    @staticmethod
    def _directory(data):
        count, names = struct.unpack_from("<I", data)[0], {}
        base = 8 + 128 * count
        for i in range(count):
            f = struct.unpack_from("<IIHHI4QIIQQQQfffIQQ", data, 8 + 128 * i)
            name = data[base + f[0]:base + f[0] + f[1]].decode()
            names[name] = dict(element=f[2], order=f[3], shape=f[5:5 + f[4]], section=f[9], offset=f[11],
                               length=f[12], scales=f[13], sums=f[14], error=f[15:18], group=f[18],
                               factors=f[19], zeros=f[20])
        return names

    def tensor(self, name):
        """The tensor's values as float32, in its shape."""
        t = self.tensors[name]
        data = self.sections[t["section"]][2]
        n, k = int(np.prod(t["shape"][:-1])), t["shape"][-1]
        element, order = t["element"], t["order"]
        step = {ROWS: 1, PANELS: 16, BLOCKS: 64, GROUPS: 16, ROW_GROUPS: 1}[order]
        stored = -(-n // step) * step
        dtype = {F32: "<f4", F16: "<f2", INT8: "i1", BITS2: "u1", BITS4: "u1", INT4: "u1"}[element]
        x = np.frombuffer(data, dtype, t["length"] // np.dtype(dtype).itemsize, t["offset"])
        if element == BITS4:
            x = x.reshape(n, -1)
            low = (x << 4).astype(np.uint8).view(np.int8) >> 4
            x = np.stack([low, x.view(np.int8) >> 4], axis=2).reshape(n, -1)[:, :k].astype(np.float32) / 16
        elif element == BITS2:
            x = x.reshape(stored // 64, -1, 32, 2).transpose(0, 3, 2, 1).reshape(stored, -1)
            codes = np.stack([x >> s & 3 for s in (0, 2, 4, 6)], axis=2).reshape(stored, -1)[:n, :k]
            x = np.array([-1.510, -0.4528, 0.4528, 1.510], np.float32)[codes]
        elif order == ROW_GROUPS:
            # A row: its elements, the factors of its groups, their zero points.
            groups = -(-k // t["group"])
            x, f, z = np.split(x.reshape(n, -1), [k // 2, k // 2 + 2 * groups], axis=1)
            x = x.reshape(n, -1, 4)
            x = np.stack([x & 15, x >> 4], axis=2).reshape(n, k).astype(np.int32)
            x = 8 * x - np.repeat(z.astype(np.int32), t["group"], axis=1)[:, :k]
            factors = np.repeat(np.ascontiguousarray(f).view("<f2").astype(np.float32), t["group"], axis=1)[:, :k]
        elif element == INT4:
            # Four columns of sixteen rows are in the low bits, the next four in the high bits.
            x = x.reshape(stored // 16, -1, 16, 4)
            x = np.stack([x & 15, x >> 4], axis=2).transpose(0, 3, 1, 2, 4).reshape(stored, -1)[:n, :k]
            groups = -(-k // t["group"])
            z = np.frombuffer(data, "u1", stored * groups, t["zeros"]).reshape(stored // 16, groups, 16)
            z = z.transpose(0, 2, 1).reshape(stored, groups)[:n].astype(np.int32)
            x = 8 * x.astype(np.int32) - np.repeat(z, t["group"], axis=1)[:, :k]
        elif order in (PANELS, GROUPS):
            if element == INT8:
                x = x.reshape(stored // 16, -1, 16, 4).transpose(0, 2, 1, 3)
            else:
                x = x.reshape(stored // 16, k, 16).transpose(0, 2, 1)
            x = x.reshape(stored, -1)[:n, :k]
        x = x.reshape(n, k).astype(np.float32)
        if element in (INT8, INT4, BITS2):
            scales = np.frombuffer(data, "<f4", stored, t["scales"])[:n, None]
            if order == GROUPS:
                groups = -(-k // t["group"])
                f = np.frombuffer(data, "<f2", stored * groups, t["factors"]).astype(np.float32)
                f = f.reshape(stored // 16, groups, 16).transpose(0, 2, 1).reshape(stored, groups)[:n]
                scales = scales * np.repeat(f, t["group"], axis=1)[:, :k]
            elif order == ROW_GROUPS:
                scales = scales * factors
            x = x * scales
        return x.reshape(t["shape"])


def main():
    parser = argparse.ArgumentParser(description="Reads .vdsq files.")
    parser.add_argument("file")
    parser.add_argument("--tensor")
    parser.add_argument("-o", "--output")
    arguments = parser.parse_args()
    reader = Reader(arguments.file)
    if arguments.tensor:
        return np.save(arguments.output, reader.tensor(arguments.tensor))
    for key, value in reader.metadata.items():
        print(f"{key:24} {value}")
    for name, t in reader.tensors.items():
        print(f"{name:40} {str(t['shape']):20} cosine {t['error'][2]:.6f}")


if __name__ == "__main__":
    main()

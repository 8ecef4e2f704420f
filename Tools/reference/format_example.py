#!/usr/bin/env python3
"""Prints the worked example of docs/format.md as a hex dump, written from the specification alone."""
import struct
import zlib


def pad(data, multiple=64):
    return data + bytes(-len(data) % multiple)


def metadata():
    def entry(key, kind, value):
        return struct.pack("<H", len(key)) + key + bytes([kind]) + value
    text = b"example"
    return (entry(b"architecture", 3, struct.pack("<I", len(text)) + text)
            + entry(b"hidden_size", 1, struct.pack("<q", 3)))


def tensors():
    record = struct.pack("<IIHHI4QII4Q3f", 0, 1, 3, 1, 2, 2, 3, 0, 0, 1, 0, 0, 6, 64, 0, 0, 0, 1)
    return struct.pack("<II", 1, 0) + record.ljust(128, b"\0") + b"w"


def weights():
    return pad(struct.pack("<6b", 127, 64, -127, 0, 127, 1)) + struct.pack("<2f", 0.5, 0.25)


body, table = b"", b""
sections = [(1, b"metadata", metadata()), (5, b"weights", weights()), (2, b"tensors", tensors())]
start = 64 + 64 * len(sections)
for kind, name, data in sections:
    body = pad(body)
    offset = start + len(body)
    table += struct.pack("<IIQQQII24s", kind, 0, offset, len(data), len(data), zlib.crc32(data), 0, name)
    body += data
body = pad(body)
header = b"\x89VDSQ\r\n\x1a" + struct.pack(
    "<IIQQII", 1, 1, start + len(body), 64, len(sections), zlib.crc32(table))
header = header.ljust(60, b"\0")
data = header + struct.pack("<I", zlib.crc32(header)) + table + body
for i in range(0, len(data), 16):
    row = data[i:i + 16]
    text = "".join(chr(b) if 32 <= b < 127 else "." for b in row)
    print(f"{i:08x}  {row.hex(' ')}  {text}")

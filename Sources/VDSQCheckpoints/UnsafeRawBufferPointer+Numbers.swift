/// Little-endian numbers at any offset.
extension UnsafeRawBufferPointer {
  /// The fp16 number at an offset, as a float.
  func float16(at offset: Int) -> Float {
    Float(
      Float16(
        bitPattern: UInt16(littleEndian: loadUnaligned(fromByteOffset: offset, as: UInt16.self))))
  }

  func uint32(at offset: Int) -> UInt32 {
    UInt32(littleEndian: loadUnaligned(fromByteOffset: offset, as: UInt32.self))
  }
}

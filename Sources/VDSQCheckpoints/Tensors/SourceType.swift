/// How a checkpoint stores the elements of a tensor: numbers by themselves, or a block type of
/// GGUF.
package enum SourceType: Sendable, Equatable {
  /// IEEE double precision.
  case float64
  /// IEEE single precision.
  case float32
  /// IEEE half precision.
  case float16
  /// The upper half of a single-precision number.
  case bfloat16
  /// int8. They are weights only if there are scales for them (`SourceScales`).
  case int8
  /// uint8, which ONNX has. They are weights only if there are scales for them.
  case uint8
  /// Integers in blocks that hold their own scales.
  case blocks(GGUFBlockType)

  /// The types of single numbers that safetensors files name, by their names there.
  static func safetensors(_ name: String) -> SourceType? {
    [.float64, .float32, .float16, .bfloat16, .int8].first { $0.name == name }
  }

  /// The types of single numbers in GGUF files, by `ggml_type`.
  private static let ggufNumbers: [(id: UInt32, type: SourceType)] = [
    (0, .float32), (1, .float16), (30, .bfloat16), (28, .float64),
  ]

  /// The type of a GGUF file's `ggml_type`, or nil if it is not supported.
  static func gguf(_ id: UInt32) -> SourceType? {
    ggufNumbers.first { $0.id == id }?.type
      ?? GGUFBlockType.all.first { $0.id == id }.map { .blocks($0) }
  }

  /// The names of all types that GGUF files are read with, such as "F32, F16, Q4_0".
  package static var ggufNames: String {
    (ggufNumbers.map(\.type.name) + GGUFBlockType.all.map(\.name)).joined(separator: ", ")
  }

  /// The name that safetensors and GGUF have for the type, such as `BF16` or `Q4_K`.
  package var name: String {
    switch self {
    case .float64: "F64"
    case .float32: "F32"
    case .float16: "F16"
    case .bfloat16: "BF16"
    case .int8: "I8"
    case .uint8: "U8"
    case .blocks(let type): type.name
    }
  }

  /// Elements that are stored together; rows are whole numbers of blocks. 1 for single numbers.
  package var blockLength: Int {
    if case .blocks(let type) = self { type.elements } else { 1 }
  }

  /// Bytes of a block.
  package var blockSize: Int {
    switch self {
    case .float64: 8
    case .float32: 4
    case .float16, .bfloat16: 2
    case .int8, .uint8: 1
    case .blocks(let type): type.bytes
    }
  }

  /// Bytes of `count` elements, which are whole blocks.
  package func bytes(of count: Int) -> Int { count / blockLength * blockSize }

  /// Decodes `count` elements, which are whole blocks.
  func decode(
    _ raw: UnsafeRawBufferPointer, count: Int, into out: UnsafeMutablePointer<Float>
  ) {
    switch self {
    case .float32:
      for i in 0..<count { out[i] = Float(bitPattern: raw.uint32(at: i * 4)) }
    case .float16:
      // With integer operations and one multiplication, which the compiler vectorises.
      for i in 0..<count {
        let loaded = raw.loadUnaligned(fromByteOffset: i * 2, as: UInt16.self)
        let bits = UInt32(UInt16(littleEndian: loaded))
        let magnitude = Float(bitPattern: (bits & 0x7FFF) << 13) * 0x1p112
        let special: UInt32 = bits & 0x7C00 == 0x7C00 ? 0x7F80_0000 : 0
        out[i] = Float(bitPattern: magnitude.bitPattern | (bits & 0x8000) << 16 | special)
      }
    case .bfloat16:
      for i in 0..<count {
        let bits = raw.loadUnaligned(fromByteOffset: i * 2, as: UInt16.self)
        out[i] = Float(bitPattern: UInt32(UInt16(littleEndian: bits)) << 16)
      }
    case .float64:
      for i in 0..<count {
        let bits = raw.loadUnaligned(fromByteOffset: i * 8, as: UInt64.self)
        out[i] = Float(Double(bitPattern: UInt64(littleEndian: bits)))
      }
    case .int8:
      for i in 0..<count { out[i] = Float(Int8(bitPattern: raw[i])) }
    case .uint8:
      for i in 0..<count { out[i] = Float(raw[i]) }
    case .blocks(let type):
      for block in 0..<count / type.elements {
        let start = block * type.bytes
        type.decode(
          UnsafeRawBufferPointer(rebasing: raw[start..<start + type.bytes]),
          out + block * type.elements)
      }
    }
  }
}

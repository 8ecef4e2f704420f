/// The element types that checkpoints store weights in: floats, and GGUF's blocks of small integers.
public enum SourceType: String, Sendable {
  case float64 = "F64"
  case float32 = "F32"
  case float16 = "F16"
  case bfloat16 = "BF16"
  /// Integers, which are weights only where there are scales beside them.
  case int8 = "I8"
  /// 32 int8 values with an fp16 scale.
  case q8Blocks = "Q8_0"
  /// 32 four-bit values with an fp16 scale.
  case q4Blocks = "Q4_0"
  /// 256 four-bit values in eight groups with six-bit scales and minimums.
  case q4Super = "Q4_K"
  /// 256 six-bit values in sixteen groups with int8 scales.
  case q6Super = "Q6_K"

  /// Elements that are stored together; rows are whole numbers of blocks.
  public var blockLength: Int {
    switch self {
    case .float64, .float32, .float16, .bfloat16, .int8: 1
    case .q8Blocks, .q4Blocks: 32
    case .q4Super, .q6Super: 256
    }
  }

  /// Bytes of a block.
  public var blockSize: Int {
    switch self {
    case .float64: 8
    case .float32: 4
    case .float16, .bfloat16: 2
    case .int8: 1
    case .q8Blocks: 34
    case .q4Blocks: 18
    case .q4Super: 144
    case .q6Super: 210
    }
  }

  /// Bytes of so many elements, which are whole blocks.
  public func bytes(of count: Int) -> Int { count / blockLength * blockSize }

  /// Decodes elements, which are whole blocks.
  func decode(
    _ raw: UnsafeRawBufferPointer, count: Int, into out: UnsafeMutablePointer<Float>
  ) {
    switch self {
    case .float32:
      for i in 0..<count {
        let bits = raw.loadUnaligned(fromByteOffset: i * 4, as: UInt32.self)
        out[i] = Float(bitPattern: UInt32(littleEndian: bits))
      }
    case .float16:
      // In integers and one multiplication, which the compiler makes vectors of.
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
    case .q8Blocks, .q4Blocks, .q4Super, .q6Super:
      for block in 0..<count / blockLength {
        let bytes = UnsafeRawBufferPointer(
          rebasing: raw[block * blockSize..<(block + 1) * blockSize])
        decode(block: bytes, into: out + block * blockLength)
      }
    }
  }

  /// One block of integers (ggml's `dequantize_row_*`, whose layouts these are).
  private func decode(block b: UnsafeRawBufferPointer, into out: UnsafeMutablePointer<Float>) {
    switch self {
    case .q8Blocks:
      let d = Self.half(b, 0)
      for i in 0..<32 { out[i] = d * Float(Int8(bitPattern: b[2 + i])) }
    case .q4Blocks:
      let d = Self.half(b, 0)
      for i in 0..<16 {
        out[i] = d * Float(Int(b[2 + i] & 15) - 8)
        out[i + 16] = d * Float(Int(b[2 + i] >> 4) - 8)
      }
    case .q4Super:
      let d = Self.half(b, 0), least = Self.half(b, 2)
      for group in 0..<8 {
        // Six bits each for a group's scale and minimum, in twelve bytes.
        let scale: UInt8
        let minimum: UInt8
        if group < 4 {
          scale = b[4 + group] & 63
          minimum = b[8 + group] & 63
        } else {
          scale = b[8 + group] & 15 | (b[group] >> 6) << 4
          minimum = b[8 + group] >> 4 | (b[4 + group] >> 6) << 4
        }
        for i in 0..<32 {
          let byte = b[16 + group / 2 * 32 + i]
          let q = group % 2 == 0 ? byte & 15 : byte >> 4
          out[group * 32 + i] = d * Float(scale) * Float(q) - least * Float(minimum)
        }
      }
    case .q6Super:
      let d = Self.half(b, 208)
      for half in 0..<2 {
        for i in 0..<32 {
          let high = b[128 + half * 32 + i]
          let low = (b[half * 64 + i], b[half * 64 + 32 + i])
          let q = [
            low.0 & 15 | (high & 3) << 4, low.1 & 15 | (high >> 2 & 3) << 4,
            low.0 >> 4 | (high >> 4 & 3) << 4, low.1 >> 4 | (high >> 6 & 3) << 4,
          ]
          for part in 0..<4 {
            let scale = Int8(bitPattern: b[192 + half * 8 + part * 2 + i / 16])
            out[half * 128 + part * 32 + i] = d * Float(scale) * Float(Int(q[part]) - 32)
          }
        }
      }
    case .float64, .float32, .float16, .bfloat16, .int8: break
    }
  }

  private static func half(_ raw: UnsafeRawBufferPointer, _ offset: Int) -> Float {
    Float(
      Float16(
        bitPattern: UInt16(
          littleEndian: raw.loadUnaligned(fromByteOffset: offset, as: UInt16.self))))
  }
}

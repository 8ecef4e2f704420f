/// Decoders of ggml's blocks whose four bits are indices into a table of sixteen values.
///
/// Each computes what `dequantize_row_*` in ggml-quants.c does, bit for bit. Low nibbles are a
/// group's first half, high nibbles its second half.
enum GGUFCodebookBlocks {
  /// The non-linear values of IQ4_NL and IQ4_XS (`kvalues_iq4nl` in ggml-common.h).
  private static let nonLinear: [Float] = [
    -127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113,
  ]
  /// The numbers of E2M1, times two (`kvalues_mxfp4` in ggml-common.h).
  private static let e2m1: [Float] = [0, 1, 2, 3, 4, 6, 8, 12, 0, -1, -2, -3, -4, -6, -8, -12]

  /// `d * value`, 32 weights with one fp16 scale.
  static func iq4_NL(_ b: UnsafeRawBufferPointer, into out: UnsafeMutablePointer<Float>) {
    group(b, at: 2, 32, b.float16(at: 0), nonLinear, into: out)
  }

  /// `d * (scale - 32) * value`: eight groups of 32, scales of six bits.
  static func iq4_XS(_ b: UnsafeRawBufferPointer, into out: UnsafeMutablePointer<Float>) {
    let d = b.float16(at: 0)
    let high = UInt16(b[2]) | UInt16(b[3]) << 8
    for index in 0..<8 {
      let low = b[4 + index / 2] >> UInt8(index % 2 * 4) & 15
      let scale = Int(low) | Int(high >> UInt16(index * 2) & 3) << 4
      group(
        b, at: 8 + index * 16, 32, d * Float(scale - 32), nonLinear, into: out + index * 32)
    }
  }

  /// `d * value`, 32 weights with one scale that is a power of two (OCP Microscaling Formats).
  static func mxfp4(_ b: UnsafeRawBufferPointer, into out: UnsafeMutablePointer<Float>) {
    // Half of the power of two, because the values are doubled.
    let bits = b[0] < 2 ? UInt32(0x20_0000) << UInt32(b[0]) : UInt32(b[0] - 1) << 23
    group(b, at: 1, 32, Float(bitPattern: bits), e2m1, into: out)
  }

  /// `d * value`: four groups of 16, scales in E4M3 without a sign.
  static func nvfp4(_ b: UnsafeRawBufferPointer, into out: UnsafeMutablePointer<Float>) {
    for index in 0..<4 {
      group(b, at: 4 + index * 8, 16, halfOfE4M3(b[index]), e2m1, into: out + index * 16)
    }
  }

  /// Half of an E4M3 number, whose sign is ignored; 0 for 127, which is no number.
  private static func halfOfE4M3(_ byte: UInt8) -> Float {
    guard byte != 0x7F else { return 0 }
    let exponent = Int(byte >> 3 & 15), mantissa = Float(byte & 7)
    if exponent == 0 { return mantissa * 0x1p-10 }
    return (1 + mantissa / 8) * Float(sign: .plus, exponent: exponent - 8, significand: 1)
  }

  /// Writes `count` weights, the low nibbles of `count / 2` bytes and then the high ones.
  private static func group(
    _ b: UnsafeRawBufferPointer, at start: Int, _ count: Int, _ scale: Float, _ values: [Float],
    into out: UnsafeMutablePointer<Float>
  ) {
    for i in 0..<count / 2 {
      out[i] = scale * values[Int(b[start + i] & 15)]
      out[i + count / 2] = scale * values[Int(b[start + i] >> 4)]
    }
  }
}

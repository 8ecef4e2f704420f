/// Decoders of ggml's blocks of 32 weights: one fp16 scale `d`, and in the `_1` types one fp16
/// minimum `m`.
///
/// Each computes what `dequantize_row_*` in ggml-quants.c does, bit for bit. Low nibbles are the
/// block's first half, high nibbles its second half.
enum GGUFBlocks {
  /// `d * (q - 8)`, q of four bits.
  static func q4_0(_ b: UnsafeRawBufferPointer, into out: UnsafeMutablePointer<Float>) {
    let d = b.float16(at: 0)
    for i in 0..<16 {
      out[i] = d * Float(Int(b[2 + i] & 15) - 8)
      out[i + 16] = d * Float(Int(b[2 + i] >> 4) - 8)
    }
  }

  /// `d * q + m`, q of four bits.
  static func q4_1(_ b: UnsafeRawBufferPointer, into out: UnsafeMutablePointer<Float>) {
    let d = b.float16(at: 0), m = b.float16(at: 2)
    for i in 0..<16 {
      out[i] = d * Float(b[4 + i] & 15) + m
      out[i + 16] = d * Float(b[4 + i] >> 4) + m
    }
  }

  /// `d * (q - 16)`, q of five bits; the fifth bits of all weights lie in four bytes.
  static func q5_0(_ b: UnsafeRawBufferPointer, into out: UnsafeMutablePointer<Float>) {
    let d = b.float16(at: 0), high = b.uint32(at: 2)
    for i in 0..<16 {
      let q = fiveBits(b[6 + i], high, i)
      out[i] = d * Float(q.low - 16)
      out[i + 16] = d * Float(q.high - 16)
    }
  }

  /// `d * q + m`, q of five bits; the fifth bits of all weights lie in four bytes.
  static func q5_1(_ b: UnsafeRawBufferPointer, into out: UnsafeMutablePointer<Float>) {
    let d = b.float16(at: 0), m = b.float16(at: 2), high = b.uint32(at: 4)
    for i in 0..<16 {
      let q = fiveBits(b[8 + i], high, i)
      out[i] = d * Float(q.low) + m
      out[i + 16] = d * Float(q.high) + m
    }
  }

  /// `d * q`, q an int8.
  static func q8_0(_ b: UnsafeRawBufferPointer, into out: UnsafeMutablePointer<Float>) {
    let d = b.float16(at: 0)
    for i in 0..<32 { out[i] = d * Float(Int8(bitPattern: b[2 + i])) }
  }

  /// Weights `i` and `i + 16`, from the byte of their four low bits and the word of fifth bits.
  private static func fiveBits(
    _ nibbles: UInt8, _ fifths: UInt32, _ i: Int
  ) -> (low: Int, high: Int) {
    (
      Int(nibbles & 15) | Int(fifths >> UInt32(i) & 1) << 4,
      Int(nibbles >> 4) | Int(fifths >> UInt32(i + 16) & 1) << 4
    )
  }
}

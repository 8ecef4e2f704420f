/// Decoders of ggml's blocks of 256 ternary weights: -1, 0 or 1 times one fp16 scale `d`.
///
/// Each computes what `dequantize_row_*` in ggml-quants.c does, bit for bit.
enum GGUFTernaryBlocks {
  /// Five weights in a byte, as digits of base three behind the point: 160 weights in 32 bytes, 80
  /// in 16, and 16 in four bytes of four weights.
  static func tq1_0(_ b: UnsafeRawBufferPointer, into out: UnsafeMutablePointer<Float>) {
    let d = b.float16(at: 52)
    var first = 0, byte = 0
    for (bytes, digits) in [(32, 5), (16, 5), (4, 4)] {
      var power: UInt8 = 1
      for digit in 0..<digits {
        for i in 0..<bytes {
          let q = (UInt16(b[byte + i] &* power) * 3) >> 8
          out[first + digit * bytes + i] = d * Float(Int(q) - 1)
        }
        power &*= 3
      }
      first += bytes * digits
      byte += bytes
    }
  }

  /// `d * (q - 1)`, q of two bits: a byte holds those of four weights, each 32 after the one
  /// before.
  static func tq2_0(_ b: UnsafeRawBufferPointer, into out: UnsafeMutablePointer<Float>) {
    let d = b.float16(at: 64)
    for i in 0..<256 {
      let q = b[i / 128 * 32 + i % 32] >> UInt8(i % 128 / 32 * 2) & 3
      out[i] = d * Float(Int(q) - 1)
    }
  }
}

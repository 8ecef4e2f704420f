/// Decoders of ggml's k-quants: super-blocks of 256 weights in groups, whose scales are integers
/// themselves and share one fp16 scale `d`.
///
/// Each computes what `dequantize_row_*` in ggml-quants.c does, bit for bit.
enum GGUFSuperBlocks {
  /// `d * scale * q - dmin * minimum`: sixteen groups of 16, q of two bits, scale and minimum of
  /// four.
  static func q2_K(_ b: UnsafeRawBufferPointer, into out: UnsafeMutablePointer<Float>) {
    let d = b.float16(at: 80), dmin = b.float16(at: 82)
    for group in 0..<16 {
      let scale = d * Float(b[group] & 15), minimum = dmin * Float(b[group] >> 4)
      for i in 0..<16 {
        out[group * 16 + i] = scale * Float(twoBits(b, at: 16, group, i)) - minimum
      }
    }
  }

  /// `d * (scale - 32) * (q - 4)`: sixteen groups of 16, q of three bits, scales of six. The third
  /// bits of all weights lie in 32 bytes.
  static func q3_K(_ b: UnsafeRawBufferPointer, into out: UnsafeMutablePointer<Float>) {
    let d = b.float16(at: 108)
    for group in 0..<16 {
      let low = b[96 + group % 8] >> UInt8(group / 8 * 4) & 15
      let high = b[104 + group % 4] >> UInt8(group / 4 * 2) & 3
      let scale = d * Float(Int(low | high << 4) - 32)
      for i in 0..<16 {
        let third = b[group % 2 * 16 + i] >> UInt8(group / 2) & 1
        out[group * 16 + i] = scale * Float(Int(twoBits(b, at: 32, group, i) | third << 2) - 4)
      }
    }
  }

  /// The two bits of weight `i` of a group of 16: a byte holds those of four weights, each 32 after
  /// the one before (Q2_K and Q3_K).
  private static func twoBits(
    _ b: UnsafeRawBufferPointer, at start: Int, _ group: Int, _ i: Int
  ) -> UInt8 {
    b[start + group / 8 * 32 + group % 2 * 16 + i] >> UInt8(group % 8 / 2 * 2) & 3
  }

  /// `d * scale * q - dmin * minimum`: eight groups of 32, q of four bits, scale and minimum of
  /// six.
  static func q4_K(_ b: UnsafeRawBufferPointer, into out: UnsafeMutablePointer<Float>) {
    let d = b.float16(at: 0), dmin = b.float16(at: 2)
    for group in 0..<8 {
      let (scale, minimum) = sixBits(b, at: 4, group)
      for i in 0..<32 {
        let byte = b[16 + group / 2 * 32 + i]
        let q = group % 2 == 0 ? byte & 15 : byte >> 4
        out[group * 32 + i] = d * Float(scale) * Float(q) - dmin * Float(minimum)
      }
    }
  }

  /// As Q4_K, with q of five bits; the fifth bits of all weights lie in 32 bytes.
  static func q5_K(_ b: UnsafeRawBufferPointer, into out: UnsafeMutablePointer<Float>) {
    let d = b.float16(at: 0), dmin = b.float16(at: 2)
    for group in 0..<8 {
      let (scale, minimum) = sixBits(b, at: 4, group)
      for i in 0..<32 {
        let byte = b[48 + group / 2 * 32 + i]
        let fifth = b[16 + i] >> UInt8(group) & 1
        let q = (group % 2 == 0 ? byte & 15 : byte >> 4) | fifth << 4
        out[group * 32 + i] = d * Float(scale) * Float(q) - dmin * Float(minimum)
      }
    }
  }

  /// `d * scale * (q - 32)`: sixteen groups of 16, q of six bits, int8 scales.
  static func q6_K(_ b: UnsafeRawBufferPointer, into out: UnsafeMutablePointer<Float>) {
    let d = b.float16(at: 208)
    for half in 0..<2 {
      for i in 0..<32 {
        let high = b[128 + half * 32 + i]
        let low = (b[half * 64 + i], b[half * 64 + 32 + i])
        let q = (
          low.0 & 15 | (high & 3) << 4, low.1 & 15 | (high >> 2 & 3) << 4,
          low.0 >> 4 | (high >> 4 & 3) << 4, low.1 >> 4 | (high >> 6 & 3) << 4
        )
        func write(_ q: UInt8, _ part: Int) {
          let scale = Int8(bitPattern: b[192 + half * 8 + part * 2 + i / 16])
          out[half * 128 + part * 32 + i] = d * Float(scale) * Float(Int(q) - 32)
        }
        write(q.0, 0)
        write(q.1, 1)
        write(q.2, 2)
        write(q.3, 3)
      }
    }
  }

  /// `d * q`, q an int8 and d a float32. Sums of groups follow, which only dot products need.
  static func q8_K(_ b: UnsafeRawBufferPointer, into out: UnsafeMutablePointer<Float>) {
    let d = Float(bitPattern: b.uint32(at: 0))
    for i in 0..<256 { out[i] = d * Float(Int8(bitPattern: b[4 + i])) }
  }

  /// A group's scale and minimum, six bits each: eight of both lie in twelve bytes (Q4_K and Q5_K).
  private static func sixBits(
    _ b: UnsafeRawBufferPointer, at start: Int, _ group: Int
  ) -> (scale: UInt8, minimum: UInt8) {
    let low = b[start + group % 4], middle = b[start + 4 + group % 4]
    if group < 4 { return (low & 63, middle & 63) }
    let both = b[start + 4 + group]
    return (both & 15 | (low >> 6) << 4, both >> 4 | (middle >> 6) << 4)
  }
}

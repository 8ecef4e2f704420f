import CShims
package import VDSQKernels

/// The measured speed of multiplications on one thread when operands stay in the first-level cache.
package struct MachineLimits {
  /// Multiply-adds per second of int8, int16 and float32.
  package let int8Products: Double
  /// Multiply-adds per second of int16.
  package let int16Products: Double
  /// Multiply-adds per second of float32.
  package let floatProducts: Double

  /// Measures the three rates with the probes of an instruction set, 0.2 seconds each.
  package init(kernels: KernelTable) {
    int8Products = Self.rate(kernels.probes.int8Products)
    int16Products = Self.rate(kernels.probes.int16Products)
    floatProducts = Self.rate(kernels.probes.floatProducts)
  }

  private static func rate(_ probe: (UnsafeRawPointer, Int) -> Int) -> Double {
    let operands = AlignedBytes(4096)
    operands.fill()
    var count = 0
    let seconds = Timing.median(seconds: 0.2) { count = probe(operands.pointer, 100_000) }
    return Double(count) / seconds
  }
}

/// Anonymous memory, aligned to pages, on large pages if the system provides them.
final class AlignedBytes {
  let pointer: UnsafeMutableRawPointer
  let count: Int

  init(_ count: Int) {
    self.count = count
    guard let p = vdsq_map_memory(Int64(count)) else { fatalError("no memory for \(count) bytes") }
    pointer = p
    vdsq_want_large_pages(p, Int64(count))
  }

  deinit { vdsq_unmap(pointer, Int64(count)) }

  /// Fills the memory with a fixed sequence of bytes.
  func fill() {
    var state: UInt64 = 0x9E37_79B9_7F4A_7C15
    var i = 0
    while i < count {
      state ^= state << 13
      state ^= state >> 7
      state ^= state << 17
      let n = min(8, count - i)
      withUnsafeBytes(of: state) { (pointer + i).copyMemory(from: $0.baseAddress!, byteCount: n) }
      i += 8
    }
  }

  /// Fills the memory with floats between -1 and 1.
  func fillFloats() {
    fill()
    let floats = pointer.assumingMemoryBound(to: Float.self)
    let bits = pointer.assumingMemoryBound(to: UInt32.self)
    for i in 0..<count / 4 { floats[i] = Float(bits[i] >> 8) / 8_388_608 - 1 }
  }
}

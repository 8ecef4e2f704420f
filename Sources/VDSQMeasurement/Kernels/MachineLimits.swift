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

import CShims

/// Loops that do nothing but what bounds a kernel: how fast they run is the machine's limit.
public struct Probes: Sendable {
  /// Multiplies int8 from 4 KiB of operands; returns how many multiply-adds that were.
  public let int8Products: @Sendable (_ operands: UnsafeRawPointer, _ repetitions: Int) -> Int
  /// The same with floats; returns how many multiply-adds that were.
  public let floatProducts: @Sendable (_ operands: UnsafeRawPointer, _ repetitions: Int) -> Int
  /// Reads memory and returns something that depends on all of it.
  public let read: @Sendable (_ p: UnsafeRawPointer, _ bytes: Int) -> Int32

  @_alwaysEmitIntoClient @inline(__always)
  init<ISA: VectorISA>(isa: ISA.Type) {
    int8Products = { GenericKernels<ISA>.int8Products($0, $1) }
    floatProducts = { GenericKernels<ISA>.floatProducts($0, $1) }
    read = { GenericKernels<ISA>.read($0, $1) }
  }
}

extension GenericKernels {
  /// Products of weights that stay in registers with activations from the first-level cache: too many
  /// different ones for the compiler to multiply them once and for all.
  @_alwaysEmitIntoClient @inline(__always)
  static func int8Products(_ p: UnsafeRawPointer, _ repetitions: Int) -> Int {
    let w0 = ISA.loadWeights(p), w1 = ISA.loadWeights(p + 64)
    // Sums that start differently cannot be taken for one.
    func start(_ n: Int32) -> ISA.Accumulator { ISA.accumulator(SIMD16(repeating: n)) }
    var c0 = start(0), c1 = start(1), c2 = start(2), c3 = start(3)
    var c4 = start(4), c5 = start(5), c6 = start(6), c7 = start(7)
    for i in 0..<repetitions {
      let a = ISA.loadActivations(p + 128 + (i & 127) * 8)
      let b = ISA.loadActivations(p + 1152 + (i & 127) * 8)
      c0 = ISA.dot(c0, a, w0)
      c1 = ISA.dot(c1, b, w0)
      if ISA.tile == .rows8Panels2 {
        c2 = ISA.dot(c2, a, w1)
        c3 = ISA.dot(c3, b, w1)
        c4 = ISA.dot(c4, a, w0)
        c5 = ISA.dot(c5, b, w0)
        c6 = ISA.dot(c6, a, w1)
        c7 = ISA.dot(c7, b, w1)
      } else {
        // One panel's weights fill half of sixteen registers.
        c2 = ISA.dot(c2, ISA.loadActivations(p + 2176 + (i & 127) * 8), w0)
        c3 = ISA.dot(c3, ISA.loadActivations(p + 3000 + (i & 127) * 8), w0)
      }
    }
    let low = ISA.lanes(c0) &+ ISA.lanes(c1) &+ ISA.lanes(c2) &+ ISA.lanes(c3)
    let high = ISA.lanes(c4) &+ ISA.lanes(c5) &+ ISA.lanes(c6) &+ ISA.lanes(c7)
    // Four columns by sixteen rows each; the sum over all lanes keeps work from being left out.
    let perStep = (ISA.tile == .rows8Panels2 ? 8 : 4) * 64
    return (low &+ high).wrappedSum() == -1 ? 0 : repetitions * perStep
  }

  @_alwaysEmitIntoClient @inline(__always)
  static func floatProducts(_ operands: UnsafeRawPointer, _ repetitions: Int) -> Int {
    let p = operands.assumingMemoryBound(to: Float.self)
    let weight = load16(p)
    var a: Sums4 = (splat(0), splat(1), splat(2), splat(3))
    var b: Sums4 = (splat(4), splat(5), splat(6), splat(7))
    for i in 0..<repetitions {
      let x = splat(p[i & 31])
      a.0 = ISA.fma(x, weight, a.0)
      a.1 = ISA.fma(x, weight, a.1)
      a.2 = ISA.fma(x, weight, a.2)
      a.3 = ISA.fma(x, weight, a.3)
      if ISA.tile == .rows8Panels2 {
        b.0 = ISA.fma(x, weight, b.0)
        b.1 = ISA.fma(x, weight, b.1)
        b.2 = ISA.fma(x, weight, b.2)
        b.3 = ISA.fma(x, weight, b.3)
      }
    }
    let sum = a.0 + a.1 + a.2 + a.3 + b.0 + b.1 + b.2 + b.3
    let perStep = (ISA.tile == .rows8Panels2 ? 8 : 4) * 16
    return sum16(sum) == -1 ? 0 : repetitions * perStep
  }

  @_alwaysEmitIntoClient @inline(__always)
  static func read(_ p: UnsafeRawPointer, _ bytes: Int) -> Int32 {
    var a = SIMD16<Int32>(), b = a, c = a, d = a
    var i = 0
    while i + 256 <= bytes {
      a = a ^ (p + i).loadUnaligned(as: SIMD16<Int32>.self)
      b = b ^ (p + i + 64).loadUnaligned(as: SIMD16<Int32>.self)
      c = c ^ (p + i + 128).loadUnaligned(as: SIMD16<Int32>.self)
      d = d ^ (p + i + 192).loadUnaligned(as: SIMD16<Int32>.self)
      i += 256
    }
    return (a ^ b ^ c ^ d).wrappedSum()
  }
}

import CShims

/// Loops that only use the resource that bounds a kernel. Their speed is the limit of the machine.
public struct Probes: Sendable {
  /// Multiplies int8 from 4 KiB of operands. Returns the number of multiply-adds.
  public let int8Products: @Sendable (_ operands: UnsafeRawPointer, _ repetitions: Int) -> Int
  /// The same with pairs of int16 if those are faster than floats, otherwise with floats.
  public let int16Products: @Sendable (_ operands: UnsafeRawPointer, _ repetitions: Int) -> Int
  /// The same with floats. Returns the number of multiply-adds.
  public let floatProducts: @Sendable (_ operands: UnsafeRawPointer, _ repetitions: Int) -> Int
  /// Reads memory and returns a value that depends on all of it.
  public let read: @Sendable (_ p: UnsafeRawPointer, _ bytes: Int) -> Int32

  @_alwaysEmitIntoClient @inline(__always)
  init<ISA: VectorISA>(isa: ISA.Type) {
    int8Products = { GenericKernels<ISA>.int8Products($0, $1) }
    int16Products = { GenericKernels<ISA>.int16Products($0, $1) }
    floatProducts = { GenericKernels<ISA>.floatProducts($0, $1) }
    read = { GenericKernels<ISA>.read($0, $1) }
  }
}

extension GenericKernels {
  /// Products of weights in registers with activations from the first-level cache. There are too
  /// many different activations for the compiler to hoist the products.
  @_alwaysEmitIntoClient @inline(__always)
  static func int8Products(_ p: UnsafeRawPointer, _ repetitions: Int) -> Int {
    let w0 = ISA.loadWeights(p), w1 = ISA.loadWeights(p + 64)
    // The sums start differently, so that the compiler cannot merge them.
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
    // Four columns by sixteen rows each. The sum over all lanes keeps the compiler from removing
    // work.
    let perStep = (ISA.tile == .rows8Panels2 ? 8 : 4) * 64
    return (low &+ high).wrappedSum() == -1 ? 0 : repetitions * perStep
  }

  @_alwaysEmitIntoClient @inline(__always)
  static func int16Products(_ operands: UnsafeRawPointer, _ repetitions: Int) -> Int {
    guard ISA.prefersPairs else { return floatProducts(operands, repetitions) }
    let sums = products(
      operands.assumingMemoryBound(to: Int32.self), repetitions,
      { SIMD16(repeating: Int32(truncatingIfNeeded: $0)) },
      { ISA.dotPairs($0, $1, $2) }, { $0 &+ $1 })
    return sums.0.wrappedSum() == -1 ? 0 : 2 * sums.1
  }

  @_alwaysEmitIntoClient @inline(__always)
  static func floatProducts(_ operands: UnsafeRawPointer, _ repetitions: Int) -> Int {
    let sums = products(
      operands.assumingMemoryBound(to: Float.self), repetitions, { splat(Float($0)) },
      { ISA.fma($0, $1, $2) }, { $0 + $1 })
    return sum16(sums.0) == -1 ? 0 : sums.1
  }

  /// The sum of products with vectors in registers, and the number of products.
  @_alwaysEmitIntoClient @inline(__always)
  static func products<Element: SIMDScalar>(
    _ p: UnsafePointer<Element>, _ repetitions: Int, _ start: (Int) -> SIMD16<Element>,
    _ multiplyAdd: (SIMD16<Element>, SIMD16<Element>, SIMD16<Element>) -> SIMD16<Element>,
    _ add: (SIMD16<Element>, SIMD16<Element>) -> SIMD16<Element>
  ) -> (SIMD16<Element>, Int) {
    func load(_ i: Int) -> SIMD16<Element> {
      UnsafeRawPointer(p + i).loadUnaligned(as: SIMD16<Element>.self)
    }
    // All operands differ, because the compiler would compute a shared product once.
    let w0 = load(0), w1 = load(16)
    var a = (start(0), start(1), start(2), start(3))
    var b = (start(4), start(5), start(6), start(7))
    for i in 0..<repetitions {
      let q = p + 32 + (i & 127) * 4
      let x0 = SIMD16(repeating: q[0]), x1 = SIMD16(repeating: q[1])
      let x2 = SIMD16(repeating: q[2]), x3 = SIMD16(repeating: q[3])
      a.0 = multiplyAdd(x0, w0, a.0)
      a.1 = multiplyAdd(x1, w0, a.1)
      a.2 = multiplyAdd(x2, w0, a.2)
      a.3 = multiplyAdd(x3, w0, a.3)
      if ISA.tile == .rows8Panels2 {
        b.0 = multiplyAdd(x0, w1, b.0)
        b.1 = multiplyAdd(x1, w1, b.1)
        b.2 = multiplyAdd(x2, w1, b.2)
        b.3 = multiplyAdd(x3, w1, b.3)
      }
    }
    let perStep = (ISA.tile == .rows8Panels2 ? 8 : 4) * 16
    let low = add(add(a.0, a.1), add(a.2, a.3)), high = add(add(b.0, b.1), add(b.2, b.3))
    return (add(low, high), repetitions * perStep)
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

/// Floats that are freed with their owner.
final class Floats {
  let p: UnsafeMutablePointer<Float>
  let count: Int

  init(_ count: Int) {
    self.count = count
    p = .allocate(capacity: max(1, count))
    p.initialize(repeating: 0, count: count)
  }

  deinit { p.deallocate() }
}

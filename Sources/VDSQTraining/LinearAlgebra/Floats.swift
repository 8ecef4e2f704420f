/// Floats that are freed with their owner.
package final class Floats {
  package let p: UnsafeMutablePointer<Float>
  package let count: Int

  package init(_ count: Int) {
    self.count = count
    p = .allocate(capacity: max(1, count))
    p.initialize(repeating: 0, count: count)
  }

  deinit { p.deallocate() }
}

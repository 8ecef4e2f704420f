import VDSQFormat

extension KernelHead {
  /// Reads an adapter's kernel head.
  ///
  /// - Throws: `badInput` where tensors are not as the format says, or a number is not finite.
  init(_ file: Container, labels: Int, dimensions: Int) throws(VDSQError) {
    let name = Adapter.Name.centers
    let rows = file.find(name)?.record.shape.first ?? 0
    guard rows > 0 else { throw .badInput("\(file.path): tensor \(name) is empty") }
    let view = try file.tensor(name, shape: [rows, dimensions])
    guard view.record.element == .float16 else {
      throw .badInput("\(file.path): tensor \(name) is \(view.record.element.name), not f16")
    }
    let stored = UnsafeRawBufferPointer(start: view.data, count: 2 * rows * dimensions)
    var centers: [UInt16] = []
    centers.reserveCapacity(rows * dimensions)
    for start in stride(from: 0, to: stored.count, by: 2) {
      let bits = UInt16(stored[start]) | UInt16(stored[start + 1]) << 8
      guard bits & 0x7C00 != 0x7C00 else {
        throw .badInput("\(file.path): tensor \(name) has a value that is not finite")
      }
      centers.append(bits)
    }
    let sharpness = Float(try file.metadata.number("sharpness"))
    guard sharpness > 0, sharpness.isFinite else {
      throw .badInput("\(file.path): metadata: sharpness is not above 0")
    }
    self.init(
      dimensions: dimensions, centers: centers,
      votes: try file.finiteFloats(Adapter.Name.votes, shape: [labels, rows]), sharpness: sharpness)
  }
}

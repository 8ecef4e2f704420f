package import VDSQFormat
package import VDSQKernels

/// The weights and the bias of a linear layer, in place in the map.
package struct Linear {
  package let panels: WeightPanels

  /// - Throws: `badInput` if the container has no such layer, or if a scale or a bias is not
  ///   finite. Quantization of the results would hide that.
  package init(
    _ container: Container, _ name: String, outputs: Int, inputs: Int
  ) throws(VDSQError) {
    let isGrouped = container.find("\(name).weight")?.record.order == .groups16
    let view = try container.tensor(
      "\(name).weight", shape: [outputs, inputs], order: isGrouped ? .groups16 : .panels16)
    let element: WeightPanels.Element
    switch view.record.element {
    case .int8, .bits2, .bits4: element = .int8
    case .int4: element = .int4
    case .float16: element = .float16
    case .float32: element = .float32
    }
    panels = WeightPanels(
      element: element, weights: view.data, scales: view.scales, rowSums: view.rowSums,
      groups: view.record.groups.map {
        WeightGroups(
          length: $0.length, factors: view.factors!, zeroPoints: view.zeroPoints,
          sums: view.groupSums!)
      },
      bias: container.find("\(name).bias") == nil
        ? nil : try container.finite("\(name).bias", shape: [outputs]),
      outputs: outputs, inputs: inputs)
    let storedRows = view.record.storedRows
    if let scales = view.scales { try container.check(scales, storedRows, name) }
    guard let groups = view.record.groups else { return }
    try container.check(view.groupSums!, storedRows, name)
    for i in 0..<storedRows * groups.count(columns: inputs) {
      let bits = view.factors!.loadUnaligned(fromByteOffset: i * 2, as: UInt16.self)
      guard bits & 0x7C00 != 0x7C00 else { throw container.notFinite(name) }
      // Eight times a weight minus the zero point must be an int8.
      guard let zeroPoints = view.zeroPoints else { continue }
      guard zeroPoints.load(fromByteOffset: i, as: UInt8.self) <= 120 else {
        throw .badInput("\(container.path): \(name) has a zero point above 120")
      }
    }
  }
}

extension Container {
  /// A float tensor whose elements are all finite.
  package func finite(_ name: String, shape: [Int]) throws(VDSQError) -> UnsafePointer<Float> {
    let values = try floats(name, shape: shape)
    try check(values, shape.reduce(1, *), name)
    return values
  }

  /// The square of a state's length.
  ///
  /// - Throws: `badInput` if the state is not finite.
  func finiteSquare(
    of state: UnsafePointer<Float>, _ count: Int, _ kernels: KernelTable
  ) throws(VDSQError) -> Float {
    var square: Float = 0
    kernels.dotRows(state, state, 1, count, &square)
    guard square.isFinite else {
      throw .badInput(
        "\(path): the weights make numbers that are not finite; verify the file's "
          + "checksums, or convert the model again")
    }
    return square
  }

  func check(
    _ values: UnsafePointer<Float>, _ count: Int, _ name: String
  ) throws(VDSQError) {
    for i in 0..<count where !values[i].isFinite { throw notFinite(name) }
  }
}

extension Container {
  fileprivate func notFinite(_ name: String) -> VDSQError {
    .badInput(
      "\(path): \(name) has a number that is not finite; verify the file's checksums")
  }
}

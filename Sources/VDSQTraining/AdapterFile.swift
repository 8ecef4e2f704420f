import VDSQConversion
import VDSQFiles
public import VDSQFormat
public import VDSQSemantics

extension Adapter {
  /// Writes the adapter's file.
  ///
  /// - Throws: `usage` where it cannot be written.
  /// - Returns: its length in bytes.
  public func write(to path: String, replace: Bool) throws(VDSQError) -> Int {
    try write(to: path, replace: replace, adding: [])
  }

  /// - Parameter more: other tensors of the file: names, values and shapes.
  func write(
    to path: String, replace: Bool, adding more: [(String, [Float], [Int])]
  ) throws(VDSQError) -> Int {
    let d = labels.dimensions
    var metadata = Metadata()
    metadata.set("model_identity", .integer(Int(modelIdentity)))
    metadata.set("dimensions", .integer(d))
    metadata.set("labels", .integer(labels.count))
    if !intermediateFeatures.isEmpty {
      metadata.set(
        "lower_layers",
        .text(
          intermediateFeatures.map { "\($0.layer)\($0.tokens == .firstToken ? ":first" : "")" }
            .joined(separator: ","))
      )
    }
    metadata.set("temperature", .number(Double(temperature)))
    if let outOfScope = labels.outOfScope {
      metadata.set("out_of_scope", .text(labels.names[outOfScope]))
    }
    var halves: [(String, [UInt16], [Int])] = []
    var parts = [(Name.anchors, labels.anchors, [labels.count, d])]
    switch correction {
    case .head(let head):
      parts += [
        (Name.weights, head.weights, [labels.count, d]), (Name.bias, head.bias, [labels.count]),
      ]
    case .kernel(let head, let kernel):
      metadata.set("sharpness", .number(Double(kernel.sharpness)))
      parts += [
        (Name.weights, head.weights, [labels.count, d]), (Name.bias, head.bias, [labels.count]),
        (Name.votes, kernel.votes, [labels.count, kernel.count]),
      ]
      halves.append((Name.centers, kernel.centers, [kernel.count, kernel.dimensions]))
    case .module(let module):
      metadata.set("rank", .integer(module.rank))
      parts += [
        (Name.down, module.down, [module.rank, d]), (Name.up, module.up, [module.rank, d]),
        (Name.offset, module.offset, [d]),
      ]
    case .neighbors(let neighbors):
      metadata.set("neighbors", .integer(neighbors.count))
      metadata.set("sharpness", .number(Double(neighbors.sharpness)))
      let examples = neighbors.targets.count
      parts += [
        (Name.neighbors, neighbors.states, [examples, d]),
        (Name.neighborLabels, neighbors.targets.map(Float.init), [examples]),
      ]
    }
    if let updates {
      parts.append(
        (Name.updates, updates.values, [updates.layers, 2, 2 * updates.rank, updates.hiddenSize]))
    }
    for (i, name) in labels.names.enumerated() { metadata.set(Name.label(i), .text(name)) }
    parts += more
    let writer = try ContainerWriter(
      path: path, kind: .adapter, sectionCount: 3, replace: replace)
    try writer.add(.metadata, "metadata", metadata.encoded())
    try writer.begin(.weights, "adapter")
    func add(
      _ name: String, _ element: ElementType, _ bytes: [UInt8], _ shape: [Int]
    ) throws(VDSQError) {
      let start = try bytes.withBytes { (raw) throws(VDSQError) in try writer.part(raw) }
      writer.add(
        TensorRecord(
          name: name, element: element, order: .rowMajor, shape: shape,
          section: writer.sectionIndex, dataOffset: start, dataLength: bytes.count,
          scalesOffset: 0, rowSumsOffset: 0,
          error: QuantizationError(maxAbs: 0, rms: 0, cosine: 1)))
    }
    for (name, values, shape) in parts {
      let bytes = values.flatMap { withUnsafeBytes(of: $0.bitPattern.littleEndian, Array.init) }
      try add(name, .float32, bytes, shape)
    }
    for (name, values, shape) in halves {
      let bytes = values.flatMap { withUnsafeBytes(of: $0.littleEndian, Array.init) }
      try add(name, .float16, bytes, shape)
    }
    try writer.end()
    return try writer.finish()
  }
}

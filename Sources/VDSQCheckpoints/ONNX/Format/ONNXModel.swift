package import VDSQFormat

/// An ONNX file (`ModelProto`): the operations of its graph, and where its tensors are.
///
/// Tensors are not read. Those of a file with external data may be in other files of the folder.
package struct ONNXModel {
  /// An input or an output of the graph.
  struct Port {
    let name: String
    /// The lengths of its axes; nil for those that texts determine, or if the shape is not known.
    let shape: [Int?]
  }

  /// The open file.
  package let file: InputFile
  /// The files of external data, relative to the folder of the model.
  package private(set) var externalFiles: [String] = []
  private(set) var nodes: [ONNXNode] = []
  private(set) var initializers: [String: ONNXTensor] = [:]
  private(set) var inputs: [Port] = []
  private(set) var outputs: [Port] = []
  /// The version of the standard operations.
  private(set) var opset = 0

  private static let mostNodes = 1 << 17

  /// - Throws: `missingInput` or `badInput`.
  package init(path: String) throws(VDSQError) {
    file = try InputFile(path: path)
    var reader = ProtobufReader(FileWindow(file), 0..<file.length)
    var graph: ProtobufReader?
    while let (number, value) = try reader.next() {
      switch number {
      case 7: graph = try reader.message(value)
      case 8:
        var set = try reader.message(value)
        var domain = "", version = 0
        while let (number, value) = try set.next() {
          if number == 1 { domain = try set.text(value) }
          if number == 2 { version = try set.integer(value) }
        }
        if domain.isEmpty || domain == "ai.onnx" { opset = version }
      default: break
      }
    }
    guard let graph, opset >= 7 else {
      throw .badInput(
        "\(path): this is no ONNX model with a graph of operations of opset 7 or later")
    }
    try read(graph)
  }

  private mutating func read(_ reader: ProtobufReader) throws(VDSQError) {
    var reader = reader
    let file = file
    let folder = file.path.split(separator: "/", omittingEmptySubsequences: false).dropLast()
      .joined(separator: "/")
    let prefix = file.path.contains("/") ? "\(folder)/" : ""
    var opened: [String: InputFile] = [:]
    var names: [String] = []
    let external = { (name: String) throws(VDSQError) -> InputFile in
      if let file = opened[name] { return file }
      let file = try InputFile(path: prefix + name)
      opened[name] = file
      names.append(name)
      return file
    }
    while let (number, value) = try reader.next() {
      switch number {
      case 1:
        guard nodes.count < Self.mostNodes else {
          throw .badInput("\(file.path): more operations than an encoder has")
        }
        nodes.append(try ONNXNode(try reader.message(value), file: file, external: external))
      case 5:
        let tensor = try ONNXTensor(try reader.message(value), file: file, external: external)
        initializers[tensor.name] = tensor
      case 11: inputs.append(try Self.port(try reader.message(value)))
      case 12: outputs.append(try Self.port(try reader.message(value)))
      case 15: throw .badInput("\(file.path): sparse tensors are not supported")
      default: break
      }
    }
    externalFiles = names.sorted()
  }

  /// Reads a `ValueInfoProto`.
  private static func port(_ reader: ProtobufReader) throws(VDSQError) -> Port {
    var reader = reader
    var name = "", shape: [Int?] = []
    while let (number, value) = try reader.next() {
      if number == 1 { name = try reader.text(value) }
      if number == 2 { shape = try lengths(ofType: try reader.message(value)) }
    }
    return Port(name: name, shape: shape)
  }

  /// The lengths of the axes of a `TypeProto`.
  private static func lengths(ofType reader: ProtobufReader) throws(VDSQError) -> [Int?] {
    var reader = reader
    var shape: [Int?] = []
    while let (number, value) = try reader.next() {
      guard number == 1 else { continue }
      var tensor = try reader.message(value)
      while let (number, value) = try tensor.next() {
        guard number == 2 else { continue }
        var dimensions = try tensor.message(value)
        while let (number, value) = try dimensions.next() {
          guard number == 1, shape.count < 8 else { continue }
          var dimension = try dimensions.message(value)
          var length: Int?
          while let (number, value) = try dimension.next() {
            if number == 1 { length = try dimension.integer(value) }
          }
          shape.append(length)
        }
      }
    }
    return shape
  }
}

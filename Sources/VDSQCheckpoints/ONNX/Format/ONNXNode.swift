import VDSQFormat

/// An operation of an ONNX graph (`NodeProto`).
struct ONNXNode {
  private(set) var operation = ""
  private(set) var domain = ""
  private(set) var name = ""
  /// The names of values; empty for an input that is left out.
  private(set) var inputs: [String] = []
  private(set) var outputs: [String] = []
  private var integers: [String: [Int]] = [:]
  private var floats: [String: [Double]] = [:]
  private(set) var tensors: [String: ONNXTensor] = [:]
  private(set) var texts: [String: String] = [:]

  private static let mostValues = 1 << 16

  init(
    _ reader: ProtobufReader, file: InputFile,
    external: (String) throws(VDSQError) -> InputFile
  ) throws(VDSQError) {
    var reader = reader
    while let (number, value) = try reader.next() {
      switch number {
      case 1: inputs.append(try reader.text(value))
      case 2: outputs.append(try reader.text(value))
      case 3: name = try reader.text(value)
      case 4: operation = try reader.text(value)
      case 5: try readAttribute(try reader.message(value), file, external)
      case 7: domain = try reader.text(value)
      default: break
      }
    }
  }

  private mutating func readAttribute(
    _ reader: ProtobufReader, _ file: InputFile,
    _ external: (String) throws(VDSQError) -> InputFile
  ) throws(VDSQError) {
    var reader = reader
    var name = "", numbers: [Int] = [], reals: [Double] = []
    var tensor: ONNXTensor?, text: String?
    while let (number, value) = try reader.next() {
      switch (number, value) {
      case (1, _): name = try reader.text(value)
      case (2, .float(let bits)), (7, .float(let bits)):
        reals.append(Double(Float(bitPattern: bits)))
      case (3, _): numbers.append(try reader.integer(value))
      case (4, _): text = try reader.text(value)
      case (5, _):
        tensor = try ONNXTensor(try reader.message(value), file: file, external: external)
      case (7, .bytes(let range)):
        guard range.count % 4 == 0, range.count / 4 <= Self.mostValues else {
          throw .badInput("\(reader.path): attribute \(name) is malformed")
        }
        let raw = try file.bytes(at: range.lowerBound, count: range.count)
        raw.withUnsafeBytes {
          for i in 0..<range.count / 4 {
            reals.append(Double(Float(bitPattern: $0.uint32(at: i * 4))))
          }
        }
      case (8, _): numbers += try reader.integers(value, atMost: Self.mostValues)
      default: break
      }
    }
    integers[name] = numbers
    floats[name] = reals
    if let tensor { tensors[name] = tensor }
    if let text { texts[name] = text }
  }

  /// An attribute that is an integer; nil if it is absent.
  func integer(_ name: String) -> Int? { integers[name]?.first }

  /// An attribute of integers; nil if it is absent.
  func list(_ name: String) -> [Int]? { integers[name] }

  /// An attribute that is a number; nil if it is absent.
  func number(_ name: String) -> Double? { floats[name]?.first }

  /// An attribute of numbers; nil if it is absent or empty.
  func numbers(_ name: String) -> [Double]? {
    guard let values = floats[name], !values.isEmpty else { return nil }
    return values
  }

  /// The operation with its domain and name, for messages.
  var description: String {
    let place = name.isEmpty ? outputs.first.map { "which makes \($0)" } ?? "" : name
    return (domain.isEmpty || domain == "ai.onnx" ? "" : "\(domain).") + operation
      + (place.isEmpty ? "" : " (\(place))")
  }
}

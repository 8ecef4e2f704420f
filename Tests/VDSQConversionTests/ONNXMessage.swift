import Foundation

/// A message of ONNX's protocol buffers, field by field, for files that no exporter writes.
struct ONNXMessage {
  private(set) var data = Data()

  private static func varint(_ value: UInt64) -> Data {
    var rest = value, bytes = Data()
    repeat {
      bytes.append(UInt8(rest & 127) | (rest > 127 ? 128 : 0))
      rest >>= 7
    } while rest > 0
    return bytes
  }

  mutating func add(_ field: Int, _ value: Int) {
    data += Self.varint(UInt64(field << 3)) + Self.varint(UInt64(bitPattern: Int64(value)))
  }

  mutating func add(_ field: Int, _ bytes: Data) {
    data += Self.varint(UInt64(field << 3 | 2)) + Self.varint(UInt64(bytes.count)) + bytes
  }

  mutating func add(_ field: Int, _ text: String) { add(field, Data(text.utf8)) }

  /// A tensor with raw elements; data type 1 is float, 2 uint8, 3 int8, 7 int64.
  static func tensor(_ name: String, _ type: Int, _ shape: [Int], _ raw: [UInt8] = []) -> Data {
    var message = ONNXMessage()
    for length in shape { message.add(1, length) }
    message.add(2, type)
    message.add(8, name)
    message.add(9, Data(raw))
    return message.data
  }

  static func node(
    _ operation: String, _ inputs: [String], _ outputs: [String], domain: String = "",
    _ attributes: [String: Int] = [:]
  ) -> Data {
    var message = ONNXMessage()
    for name in inputs { message.add(1, name) }
    for name in outputs { message.add(2, name) }
    message.add(4, operation)
    for (name, value) in attributes {
      var attribute = ONNXMessage()
      attribute.add(1, name)
      attribute.add(3, value)
      attribute.add(20, 2)
      message.add(5, attribute.data)
    }
    if !domain.isEmpty { message.add(7, domain) }
    return message.data
  }

  /// A model of opset 17 with the inputs `input_ids` and `attention_mask`, and one output.
  static func model(_ nodes: [Data], _ tensors: [Data], output: String) -> Data {
    func named(_ name: String) -> Data {
      var message = ONNXMessage()
      message.add(1, name)
      return message.data
    }
    var graph = ONNXMessage()
    for node in nodes { graph.add(1, node) }
    for tensor in tensors { graph.add(5, tensor) }
    for name in ["input_ids", "attention_mask"] { graph.add(11, named(name)) }
    graph.add(12, named(output))
    var model = ONNXMessage(), opset = ONNXMessage()
    opset.add(2, 17)
    model.add(1, 8)
    model.add(8, opset.data)
    model.add(7, graph.data)
    return model.data
  }
}

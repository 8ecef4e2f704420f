/// The element types of ONNX tensors that are read (`TensorProto.DataType`).
enum ONNXElement: Int {
  case float = 1
  case uint8 = 2
  case int8 = 3
  case int32 = 6
  case int64 = 7
  case bool = 9
  case float16 = 10
  case double = 11
  case bfloat16 = 16

  /// The type of weights; nil for integers that are none.
  var source: SourceType? {
    switch self {
    case .float: .float32
    case .double: .float64
    case .float16: .float16
    case .bfloat16: .bfloat16
    case .int8: .int8
    case .uint8: .uint8
    case .int32, .int64, .bool: nil
    }
  }

  /// Bytes of an element.
  var size: Int {
    switch self {
    case .uint8, .int8, .bool: 1
    case .float16, .bfloat16: 2
    case .float, .int32: 4
    case .int64, .double: 8
    }
  }

  /// What a computation with elements of the type is.
  var kind: KnownTensor.Kind {
    switch self {
    case .float, .float16, .double, .bfloat16: .float
    case .uint8, .int8, .int32, .int64: .integer
    case .bool: .boolean
    }
  }
}

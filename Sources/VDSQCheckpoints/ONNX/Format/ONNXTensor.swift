import VDSQFormat

/// A tensor of an ONNX file (`TensorProto`): its shape, and where its elements are.
struct ONNXTensor {
  /// Where the elements are, little-endian.
  enum Place {
    case file(InputFile, offset: Int)
    case memory([UInt8])
  }

  let name: String
  let element: ONNXElement
  let shape: [Int]
  let place: Place

  var count: Int { shape.reduce(1, *) }

  /// The most dimensions of a tensor.
  private static let mostDimensions = 8
  /// The most elements that a file may list one by one rather than as bytes.
  private static let mostListed = 1 << 28

  /// - Parameter external: opens a file of external data by its name.
  /// - Throws: `badInput` if the tensor is malformed, or its elements are not in the file.
  init(
    _ reader: ProtobufReader, file: InputFile,
    external: (String) throws(VDSQError) -> InputFile
  ) throws(VDSQError) {
    var reader = reader
    var name = "", dimensions: [Int] = [], type = 0
    var listed: [ProtobufReader.Value] = [], listedBits = 0
    var raw: Range<Int>?
    var entries: [String: String] = [:], isExternal = false
    while let (number, value) = try reader.next() {
      switch number {
      case 1: dimensions += try reader.integers(value, atMost: Self.mostDimensions)
      case 2: type = try reader.integer(value)
      case 3: throw .badInput("\(reader.path): a tensor in segments is not supported")
      case 4, 5, 7, 10:
        listed.append(value)
        listedBits = number
      case 8: name = try reader.text(value)
      case 9:
        guard case .bytes(let range) = value else { continue }
        raw = range
      case 13:
        let (key, text) = try Self.entry(try reader.message(value))
        entries[key] = text
      case 14: isExternal = try reader.integer(value) == 1
      default: break
      }
    }
    let what = "\(reader.path): tensor \(name)"
    guard dimensions.count <= Self.mostDimensions else {
      throw .badInput("\(what): too many dimensions")
    }
    var largest = 1
    for dimension in dimensions {
      // An empty axis makes the others no smaller.
      let (product, overflow) = largest.multipliedReportingOverflow(by: max(dimension, 1))
      guard dimension >= 0, !overflow, product <= 1 << 40 else {
        throw .badInput("\(what): its shape \(dimensions) is none")
      }
      largest = product
    }
    let count = dimensions.reduce(1, *)
    guard let element = ONNXElement(rawValue: type) else {
      throw .badInput("\(what): data type \(type) is not supported")
    }
    (self.name, self.element, shape) = (name, element, dimensions)
    let size = count * element.size
    if isExternal {
      place = try Self.external(entries, size: size, what, external)
    } else if let raw {
      guard raw.count == size else {
        throw .badInput("\(what): \(raw.count) bytes do not match its shape \(dimensions)")
      }
      place = .file(file, offset: raw.lowerBound)
    } else if listed.count == 1, case .bytes(let range) = listed[0],
      listedBits == 4 || listedBits == 10,
      element == (listedBits == 4 ? .float : .double), range.count == size
    {
      place = .file(file, offset: range.lowerBound)
    } else {
      place = .memory(
        try Self.bytes(of: listed, element, count: count, reader, what, isFloat: listedBits == 4))
    }
  }

  private static func entry(_ reader: ProtobufReader) throws(VDSQError) -> (String, String) {
    var reader = reader
    var key = "", text = ""
    while let (number, value) = try reader.next() {
      if number == 1 { key = try reader.text(value) }
      if number == 2 { text = try reader.text(value) }
    }
    return (key, text)
  }

  /// Elements in another file of the folder.
  private static func external(
    _ entries: [String: String], size: Int, _ what: String,
    _ open: (String) throws(VDSQError) -> InputFile
  ) throws(VDSQError) -> Place {
    let location = entries["location"] ?? ""
    guard !location.isEmpty, !location.hasPrefix("/"),
      !location.split(separator: "/").contains("..")
    else { throw .badInput("\(what): external data in \"\(location)\" leave the folder") }
    guard let offset = Int(entries["offset"] ?? "0"), offset >= 0,
      let length = Int(entries["length"] ?? "\(size)"), length == size
    else {
      throw .badInput("\(what): external data have another length than its shape")
    }
    let file = try open(location)
    guard offset <= file.length, size <= file.length - offset else {
      throw .badInput("\(what): external data lie behind the end of \(file.path)")
    }
    return .file(file, offset: offset)
  }

  /// Elements that are listed one by one, as bytes.
  private static func bytes(
    of listed: [ProtobufReader.Value], _ element: ONNXElement, count: Int, _ reader: ProtobufReader,
    _ what: String, isFloat: Bool
  ) throws(VDSQError) -> [UInt8] {
    var bytes: [UInt8] = []
    func append(_ bits: UInt64) {
      for i in 0..<element.size { bytes.append(UInt8(truncatingIfNeeded: bits >> UInt64(8 * i))) }
    }
    for value in listed {
      switch value {
      case .integer(let bits): append(bits)
      case .float(let bits): append(UInt64(bits))
      case .double(let bits): append(bits)
      case .bytes where isFloat:
        throw .badInput("\(what): floats in several parts are not supported")
      case .bytes:
        for bits in try reader.integers(value, atMost: min(mostListed, count)) {
          append(UInt64(bitPattern: Int64(bits)))
        }
      }
      guard bytes.count <= count * element.size else { break }
    }
    guard bytes.count == count * element.size else {
      throw .badInput("\(what): it has not the elements of its shape")
    }
    return bytes
  }

  /// Reads all elements.
  func bytes() throws(VDSQError) -> [UInt8] {
    switch place {
    case .memory(let bytes): bytes
    case .file(let file, let offset): try file.bytes(at: offset, count: count * element.size)
    }
  }

  /// The elements as numbers; nil if they are more than `limit`.
  func known(atMost limit: Int) throws(VDSQError) -> KnownTensor? {
    guard count <= limit else { return nil }
    let bytes = try bytes()
    let values: [Double] = bytes.withUnsafeBytes { raw in
      (0..<count).map { i in
        func bits<T: FixedWidthInteger>(_: T.Type) -> T {
          T(littleEndian: raw.loadUnaligned(fromByteOffset: i * element.size, as: T.self))
        }
        return switch element {
        case .float: Double(Float(bitPattern: bits(UInt32.self)))
        case .double: Double(bitPattern: bits(UInt64.self))
        case .float16: Double(raw.float16(at: i * 2))
        case .bfloat16: Double(Float(bitPattern: UInt32(bits(UInt16.self)) << 16))
        case .uint8: Double(raw[i])
        case .int8: Double(Int8(bitPattern: raw[i]))
        case .int32: Double(bits(Int32.self))
        case .int64: Double(bits(Int64.self))
        case .bool: raw[i] == 0 ? 0 : 1
        }
      }
    }
    return KnownTensor(Grid(shape: shape, elements: values), element.kind)
  }
}

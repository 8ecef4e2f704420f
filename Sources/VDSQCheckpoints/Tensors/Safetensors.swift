package import VDSQFormat

/// A safetensors file: a JSON header with names and byte ranges of tensors, then the bytes.
///
/// The rules for the header are those of the reference implementation: at most 100 MB, no duplicate
/// names, no overlaps or gaps between tensors, byte counts that match the shapes.
package struct Safetensors {
  /// The limit of the JSON header in bytes, as in the reference implementation.
  package static let longestHeader = 100_000_000

  /// The open file, from which tensors are read.
  package let file: InputFile
  /// Tensors by name. Tensors of types that hold no weights (integers, booleans) are omitted.
  package let tensors: [String: SourceTensor]
  /// The types of the tensors that are omitted, by the names of the tensors.
  package let omitted: [String: String]
  /// int8 tensors without scales.
  let unscaled: [String: SourceTensor]
  /// The bytes of the tensors that are omitted, from the beginning of the file.
  private let omittedRanges: [String: Range<Int>]

  /// - Throws: `missingInput` or `badInput`.
  package init(path: String) throws(VDSQError) {
    file = try InputFile(path: path)
    guard file.length >= 8 else { throw .badInput("\(path): too short for a safetensors file") }
    let lengthBytes = try file.bytes(at: 0, count: 8)
    let length = lengthBytes.withUnsafeBytes { $0.loadUnaligned(as: UInt64.self).littleEndian }
    guard length <= Self.longestHeader, Int(length) <= file.length - 8 else {
      throw .badInput(
        "\(path): the safetensors header claims \(length) bytes; the file has \(file.length)")
    }
    let dataStart = 8 + Int(length)
    let header = try JSON(
      parsing: try file.bytes(at: 8, count: Int(length)), context: "\(path): safetensors header")
    guard let members = header.members else {
      throw .badInput("\(path): the safetensors header is no JSON object")
    }
    var tensors: [String: SourceTensor] = [:]
    var omitted: [String: String] = [:]
    var omittedRanges: [String: Range<Int>] = [:]
    var spans: [(start: Int, end: Int, name: String)] = []
    for member in members where member.key != "__metadata__" {
      let (span, tensor) = try Self.tensor(member, file: file, dataStart: dataStart)
      spans.append((span.lowerBound, span.upperBound, member.key))
      if let tensor {
        tensors[member.key] = tensor
      } else {
        omitted[member.key] = member.value["dtype"]?.text
        omittedRanges[member.key] = dataStart + span.lowerBound..<dataStart + span.upperBound
      }
    }
    try Self.check(spans, dataLength: file.length - dataStart, path: path)
    self.omitted = omitted
    self.omittedRanges = omittedRanges
    let scaled = try Self.withScales(tensors, omitted)
    self.tensors = scaled
    unscaled = tensors.filter { $0.value.type == .int8 && scaled[$0.key] == nil }
  }

  /// The elements of a tensor of I32 or I64; nil if there is none.
  func integers(_ name: String) throws(VDSQError) -> [Int]? {
    guard let range = omittedRanges[name], let type = omitted[name] else { return nil }
    let bytes = try file.bytes(at: range.lowerBound, count: range.count)
    return bytes.withUnsafeBytes { raw -> [Int]? in
      switch type {
      case "I32":
        stride(from: 0, to: raw.count - 3, by: 4).map { Int(Int32(bitPattern: raw.uint32(at: $0))) }
      case "I64":
        stride(from: 0, to: raw.count - 7, by: 8).map {
          Int(Int64(littleEndian: raw.loadUnaligned(fromByteOffset: $0, as: Int64.self)))
        }
      default: nil
      }
    }
  }

  private static func tensor(
    _ member: JSON.Member, file: InputFile, dataStart: Int
  ) throws(VDSQError) -> (Range<Int>, SourceTensor?) {
    let what = "\(file.path): tensor \(member.key)"
    guard let typeName = member.value["dtype"]?.text,
      let dimensions = member.value["shape"]?.elements,
      let offsets = member.value["data_offsets"]?.elements, offsets.count == 2,
      let start = offsets[0].integer, let end = offsets[1].integer
    else { throw .badInput("\(what): dtype, shape or data_offsets are missing or malformed") }
    guard start >= 0, start <= end, end <= file.length - dataStart else {
      throw .badInput("\(what): its bytes \(start)..<\(end) lie outside of the file")
    }
    guard dimensions.count <= 8 else { throw .badInput("\(what): too many dimensions") }
    var shape: [Int] = []
    var count = 1
    for dimension in dimensions {
      guard let size = dimension.integer, size >= 0 else {
        throw .badInput("\(what): a dimension is no size")
      }
      let (product, overflow) = count.multipliedReportingOverflow(by: size)
      guard !overflow else { throw .badInput("\(what): the product of its shape overflows") }
      count = product
      shape.append(size)
    }
    guard let type = SourceType.safetensors(typeName) else {
      // Position ids and similar tensors, which are not used.
      return (start..<end, nil)
    }
    let (bytes, overflow) = count.multipliedReportingOverflow(by: type.blockSize)
    guard !overflow, bytes == end - start else {
      throw .badInput("\(what): \(end - start) bytes do not match its shape \(shape)")
    }
    let tensor = SourceTensor(
      name: member.key, type: type, shape: shape, file: file, offset: dataStart + start)
    return (start..<end, tensor)
  }

  /// Integers with scales in another tensor: `NAME_scale` (compressed-tensors), or 127 times the
  /// scale in `SCB` (bitsandbytes). Integers without scales are not weights.
  ///
  /// - Throws: `badInput` if scales, zero points or the order of columns are in an unknown form.
  private static func withScales(
    _ tensors: [String: SourceTensor], _ omitted: [String: String]
  ) throws(VDSQError) -> [String: SourceTensor] {
    var result = tensors
    for tensor in tensors.values where tensor.type == .int8 {
      result[tensor.name] = nil
      let folder = tensor.name.hasSuffix("weight") ? String(tensor.name.dropLast(6)) : ""
      for (name, factor) in [("\(tensor.name)_scale", Float(1)), ("\(folder)SCB", 1 / 127)] {
        guard let scales = tensors[name], scales.type != .int8, tensor.columns > 0 else { continue }
        var scaled = tensor
        scaled.scales = try Self.scales(scales, of: tensor, factor: factor, tensors, omitted)
        result[tensor.name] = scaled
        for used in [name, "\(tensor.name)_zero_point"] { result[used] = nil }
        break
      }
    }
    return result
  }

  /// One scale for the tensor, for each row, or for each group of columns of a row.
  private static func scales(
    _ scales: SourceTensor, of tensor: SourceTensor, factor: Float,
    _ tensors: [String: SourceTensor], _ omitted: [String: String]
  ) throws(VDSQError) -> SourceScales {
    let path = tensor.file.path
    let groups = scales.count == 1 ? 1 : scales.count / max(tensor.rows, 1)
    guard groups > 0, tensor.columns % groups == 0,
      scales.count == 1 || scales.count == groups * tensor.rows
    else {
      throw .badInput(
        "\(path): tensor \(scales.name) of shape \(scales.shape) has not a scale for each row of "
          + "\(tensor.name), nor for each group of its columns")
    }
    var result = SourceScales(
      type: scales.type, offset: scales.offset, columns: tensor.columns / groups, factor: factor)
    result.areShared = scales.count == 1
    let zeroPoint = "\(tensor.name)_zero_point", order = "\(tensor.name)_g_idx"
    if let zeros = tensors[zeroPoint], zeros.type == .int8, zeros.count == scales.count {
      result.zeroPoints = zeros.offset
    } else if let type = tensors[zeroPoint]?.type.name ?? omitted[zeroPoint] {
      throw .badInput(
        "\(path): tensor \(zeroPoint) of type \(type) is not supported; supported: an I8 zero point "
          + "for each scale")
    }
    if tensors[order] != nil || omitted[order] != nil {
      throw .badInput("\(path): tensor \(order): columns in another order are not supported")
    }
    return result
  }

  private static func check(
    _ spans: [(start: Int, end: Int, name: String)], dataLength: Int, path: String
  ) throws(VDSQError) {
    var position = 0
    for span in spans.sorted(by: { ($0.start, $0.end) < ($1.start, $1.end) }) {
      guard span.start == position else {
        throw .badInput(
          span.start < position
            ? "\(path): tensor \(span.name) overlaps another"
            : "\(path): \(span.start - position) bytes before tensor \(span.name) belong to none")
      }
      position = span.end
    }
    guard position == dataLength else {
      throw .badInput("\(path): \(dataLength - position) bytes at the end belong to no tensor")
    }
  }
}

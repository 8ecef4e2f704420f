/// One tensor of the directory: its shape, and the locations of its parts in the file.
package struct TensorRecord: Sendable {
  /// UTF-8, for example `embeddings.word`. `Container.find` looks tensors up by it.
  package let name: String
  /// The type of a stored element.
  package let element: ElementType
  /// The order of the elements in the file.
  package let order: TensorOrder
  /// One to four dimensions, the outermost first. Padding is not counted.
  package let shape: [Int]
  /// Index of the section that holds the tensor.
  package let section: Int
  /// Offsets from the start of the section; 0 for scales or row sums that the tensor does not have.
  package let dataOffset: Int
  /// The size of the elements in bytes, padding included.
  package let dataLength: Int
  /// Offset of the float32 scales, `[storedRows]`, from the section's start; 0 if there are none.
  package let scalesOffset: Int
  /// Offset of the row sums, `[storedRows]`, from the section's start; 0 if there are none. They
  /// are int32, or float32 in order `groups16`.
  package let rowSumsOffset: Int
  /// Nil if each row has a single scale.
  package let groups: TensorGroups?
  /// The quantization error. Tensors that were not converted from a checkpoint have 0, 0 and 1.
  package let error: QuantizationError

  /// A record to be written. The values are not checked.
  package init(
    name: String, element: ElementType, order: TensorOrder, shape: [Int], section: Int,
    dataOffset: Int, dataLength: Int, scalesOffset: Int, rowSumsOffset: Int,
    groups: TensorGroups? = nil, error: QuantizationError
  ) {
    self.name = name
    self.element = element
    self.order = order
    self.shape = shape
    self.section = section
    self.dataOffset = dataOffset
    self.dataLength = dataLength
    self.scalesOffset = scalesOffset
    self.rowSumsOffset = rowSumsOffset
    self.groups = groups
    self.error = error
  }

  /// Number of rows: the product of all dimensions but the last.
  package var rows: Int { shape.dropLast().reduce(1, *) }
  /// Number of columns: the last dimension.
  package var columns: Int { shape.last ?? 1 }

  /// The number of stored rows: panels are padded to sixteen rows, blocks to 64.
  package var storedRows: Int { Self.storedRows(order: order, rows: rows) }

  /// The number of rows that `rows` take in an order: a multiple of 16 in panels, of 64 in blocks.
  package static func storedRows(order: TensorOrder, rows: Int) -> Int {
    switch order {
    case .rowMajor, .rowGroups: rows
    case .panels16, .groups16: (rows + 15) / 16 * 16
    case .blocks64: (rows + 63) / 64 * 64
    }
  }

  /// The size of a row in bytes, unless the order is one of panels or blocks.
  package var rowBytes: Int { dataLength / rows }

  /// The size of a tensor's elements in bytes, or nil if the product overflows.
  ///
  /// - Parameter groups: the columns of a group; for `rowGroups` only.
  package static func dataLength(
    element: ElementType, order: TensorOrder, shape: [Int], groups: Int? = nil
  ) -> Int? {
    guard shape.allSatisfy({ $0 > 0 && $0 <= 1 << 40 }) else { return nil }
    let rows = product(shape.dropLast()).flatMap { $0 <= Int.max - 64 ? $0 : nil }
    guard let rows, var columns = shape.last else { return nil }
    if order.isPanels, element == .int8 { columns = (columns + 3) / 4 * 4 }
    if element == .bits2 { columns = (columns + 7) / 8 * 2 }
    if element == .bits4 { columns = (columns + 1) / 2 }
    let groupCount = order == .rowGroups ? groups.map { (columns + $0 - 1) / $0 } ?? 0 : 0
    if element == .int4 { columns = (columns + 7) / 8 * 4 + groupCount * 3 }
    let width = element == .float32 ? 4 : element == .float16 ? 2 : 1
    return product([storedRows(order: order, rows: rows), columns, width])
  }

  private static func product(_ factors: some Sequence<Int>) -> Int? {
    var result = 1
    for factor in factors {
      let (product, overflow) = result.multipliedReportingOverflow(by: factor)
      if overflow { return nil }
      result = product
    }
    return result
  }

  /// - Throws: `badInput` if a field is unknown, or any part lies outside of the tensor's section.
  init(
    _ reader: inout ByteReader, names: UnsafeRawBufferPointer, sections: [Section]
  ) throws(VDSQError) {
    let nameOffset = Int(try reader.integer(UInt32.self, "name offset"))
    let nameLength = Int(try reader.integer(UInt32.self, "name length"))
    guard nameOffset <= names.count, nameLength <= names.count - nameOffset else {
      throw .badInput("\(reader.context): a tensor's name lies outside of the directory")
    }
    let nameBytes = names[nameOffset..<nameOffset + nameLength]
    let name = String(decoding: nameBytes, as: UTF8.self)
    self.name = name
    let elementCode = try reader.integer(UInt16.self, "element type")
    let orderCode = try reader.integer(UInt16.self, "order")
    let rank = Int(try reader.integer(UInt32.self, "rank"))
    guard let element = ElementType(rawValue: elementCode),
      let order = TensorOrder(rawValue: orderCode),
      rank >= 1, rank <= ContainerLayout.maximumRank,
      Self.isKnown(element, order, rank)
    else {
      throw .badInput("\(reader.context): tensor \(name) has an unknown type, order or rank")
    }
    // Everything else that reads four bits without a scale would take them for int8.
    guard element != .bits4 || name == "bases.fine" else {
      throw .badInput(
        "\(reader.context): tensor \(name) has four bits without scales, which only bases.fine has")
    }
    self.element = element
    self.order = order
    var shape: [Int] = []
    for axis in 0..<ContainerLayout.maximumRank {
      let dimension = try reader.size("dimension")
      if axis < rank { shape.append(dimension) }
    }
    self.shape = shape
    section = Int(try reader.integer(UInt32.self, "section index"))
    _ = try reader.integer(UInt32.self, "reserved")
    dataOffset = try reader.size("data offset")
    dataLength = try reader.size("data length")
    scalesOffset = try reader.size("scales offset")
    rowSumsOffset = try reader.size("row sums offset")
    error = QuantizationError(
      maxAbs: try reader.float("max abs error"), rms: try reader.float("rms error"),
      cosine: try reader.float("cosine"))
    let groupLength = Int(try reader.integer(UInt32.self, "group length"))
    let factorsOffset = try reader.size("factors offset")
    let zeroPointsOffset = try reader.size("zero points offset")
    _ = try reader.take(8, "reserved")
    groups =
      order == .groups16 || order == .rowGroups
      ? TensorGroups(
        length: groupLength, factorsOffset: factorsOffset, zeroPointsOffset: zeroPointsOffset) : nil
    if let groups {
      guard ContainerLayout.groupLengths.contains(groups.length) else {
        throw .badInput(
          "\(reader.context): tensor \(name) has groups of \(groups.length) columns; known: 32, 64"
        )
      }
      guard element != .int4 || shape.last! % 8 == 0 else {
        throw .badInput(
          "\(reader.context): tensor \(name) has four bits, but \(shape.last!) columns, which is no "
            + "multiple of 8")
      }
    }

    guard section < sections.count, sections[section].kind == .weights else {
      throw .badInput("\(reader.context): tensor \(name) is in no weights section")
    }
    let expected = Self.dataLength(
      element: element, order: order, shape: shape, groups: groups?.length)
    guard dataLength == expected else {
      throw .badInput("\(reader.context): tensor \(name)'s length does not match its shape")
    }
    let length = sections[section].rawLength
    try Self.check(dataOffset, dataLength, in: length, "data of \(name)", reader.context)
    if element.hasScales {
      try Self.check(scalesOffset, storedRows * 4, in: length, "scales of \(name)", reader.context)
      if order.isPanels {
        try Self.check(
          rowSumsOffset, storedRows * 4, in: length, "row sums of \(name)", reader.context)
      }
      if let groups, order == .groups16 {
        // This cannot overflow, because the elements themselves, of which there are more, lie
        // within the section.
        try Self.check(
          groups.factorsOffset, groups.bytes(storedRows: storedRows, columns: columns), in: length,
          "factors of \(name)", reader.context)
        if element == .int4 {
          try Self.check(
            groups.zeroPointsOffset, groups.bytes(storedRows: storedRows, columns: columns) / 2,
            in: length, "zero points of \(name)", reader.context)
        }
      }
    }
  }

  /// Elements of two bits are in blocks; all others are not.
  private static func isKnown(_ element: ElementType, _ order: TensorOrder, _ rank: Int) -> Bool {
    switch order {
    case .rowMajor: element != .bits2 && element != .int4
    case .panels16: rank == 2 && [.float32, .float16, .int8].contains(element)
    case .blocks64: rank == 2 && element == .bits2
    case .groups16: rank == 2 && (element == .int8 || element == .int4)
    case .rowGroups: rank == 2 && element == .int4
    }
  }

  private static func check(
    _ offset: Int, _ count: Int, in length: Int, _ what: String, _ context: String
  ) throws(VDSQError) {
    guard offset % ContainerLayout.alignment == 0, count <= length, offset <= length - count else {
      throw .badInput("\(context): the \(what) lie outside of their section")
    }
  }

  /// Appends the tensor's record of 128 bytes.
  ///
  /// - Parameter nameOffset: offset of the name's first byte in the names behind the records.
  package func encode(nameOffset: Int, to out: inout ByteWriter) {
    let end = out.count + ContainerLayout.tensorRecordLength
    out.append(UInt32(nameOffset))
    out.append(UInt32(name.utf8.count))
    out.append(element.rawValue)
    out.append(order.rawValue)
    out.append(UInt32(shape.count))
    for axis in 0..<ContainerLayout.maximumRank {
      out.append(UInt64(axis < shape.count ? shape[axis] : 0))
    }
    out.append(UInt32(section))
    out.append(UInt32(0))
    for offset in [dataOffset, dataLength, scalesOffset, rowSumsOffset] {
      out.append(UInt64(offset))
    }
    out.append(error.maxAbs)
    out.append(error.rms)
    out.append(error.cosine)
    out.append(UInt32(groups?.length ?? 0))
    out.append(UInt64(groups?.factorsOffset ?? 0))
    out.append(UInt64(groups?.zeroPointsOffset ?? 0))
    out.pad(to: end)
  }
}

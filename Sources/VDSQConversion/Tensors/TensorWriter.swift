import VDSQFiles
import VDSQFormat

extension ContainerWriter {
  /// Writes a small tensor that is made at conversion.
  func writeConstant(_ constant: ModelSource.Constant) throws(VDSQError) {
    var out = ByteWriter()
    for value in constant.values { out.append(value) }
    let offset = try out.bytes.withBytes { (raw) throws(VDSQError) in try part(raw) }
    add(
      record(
        constant.name, .float32, .rowMajor, constant.shape, offset, out.count,
        error: QuantizationError(maxAbs: 0, rms: 0, cosine: 1)))
  }

  /// Writes norms, biases and other small tensors in float32.
  func writeFloats(_ source: RowSource, shape: [Int]) throws(VDSQError) {
    let offset = try alignedOffset()
    var length = 0
    try source.forEachBlock { (values, _) throws(VDSQError) in
      length += values.count * 4
      try values.withBytes { (raw) throws(VDSQError) in try write(raw) }
    }
    add(
      record(
        source.name, .float32, .rowMajor, shape, offset, length,
        error: QuantizationError(maxAbs: 0, rms: 0, cosine: 1)))
  }

  /// Writes a table of rows in fp16 or fp32.
  func writeFloatRows(_ source: RowSource, half: Bool) throws(VDSQError) {
    let offset = try alignedOffset()
    var meter = ErrorMeter()
    var length = 0
    try source.forEachBlock { (values, _) throws(VDSQError) in
      length += try writeElements(values, half: half, source, &meter)
    }
    add(
      record(
        source.name, half ? .float16 : .float32, .rowMajor, [source.rows, source.columns], offset,
        length, error: meter.result))
  }

  /// Writes a table of rows in int8, followed by the scales.
  func writeInt8Rows(_ source: RowSource) throws(VDSQError) {
    let offset = try alignedOffset()
    var meter = ErrorMeter()
    var scales: [Float] = []
    var length = 0
    let columns = source.columns
    var q: [Int8] = []
    try source.forEachBlock { (values, rows) throws(VDSQError) in
      if q.count != values.count { q = [Int8](repeating: 0, count: values.count) }
      values.withUnsafeBufferPointer { values in
        q.withUnsafeMutableBufferPointer { q in
          for row in 0..<rows {
            scales.append(
              Quantizer.quantize(
                values.baseAddress! + row * columns, columns, into: q.baseAddress! + row * columns,
                &meter))
          }
        }
      }
      length += q.count
      try q.withBytes { (raw) throws(VDSQError) in try write(raw) }
    }
    let scalesOffset = try scales.withBytes { (raw) throws(VDSQError) in try part(raw) }
    add(
      record(
        source.name, .int8, .rowMajor, [source.rows, columns], offset, length,
        scales: scalesOffset, error: meter.result))
  }

  /// Writes a table of rows in four bits, each row with its groups, followed by the scales.
  ///
  /// - Parameter groups: the columns of a group. `source.columns` is a multiple of 8.
  func writeInt4Rows(_ source: RowSource, groups: Int) throws(VDSQError) {
    let offset = try alignedOffset()
    var meter = ErrorMeter()
    let columns = source.columns
    var quantizer = FourBitQuantizer(columns: columns, groups: groups)
    var scales: [Float] = []
    var bytes: [UInt8] = []
    var length = 0
    try source.forEachBlock { (values, rows) throws(VDSQError) in
      bytes.removeAll(keepingCapacity: true)
      values.withUnsafeBufferPointer { values in
        for row in 0..<rows {
          quantizer.quantize(values.baseAddress! + row * columns, &meter)
          scales.append(quantizer.scale)
          quantizer.pack { _, byte in bytes.append(byte) }
          for group in quantizer.groups {
            bytes.append(UInt8(truncatingIfNeeded: group.factor))
            bytes.append(UInt8(group.factor >> 8))
          }
          for group in quantizer.groups { bytes.append(group.zeroPoint) }
        }
      }
      length += bytes.count
      try bytes.withBytes { (raw) throws(VDSQError) in try write(raw) }
    }
    let scalesOffset = try scales.withBytes { (raw) throws(VDSQError) in try part(raw) }
    add(
      record(
        source.name, .int4, .rowGroups, [source.rows, columns], offset, length,
        scales: scalesOffset, groups: TensorGroups(length: groups), error: meter.result))
  }

  /// Writes the weights of a linear layer in int8 panels `[N/16][K/4][16][4]`, then scales and row
  /// sums, and factors if columns are in groups.
  ///
  /// - Parameter groups: the columns of a group; nil if a row has a single scale.
  func writeInt8Panels(_ source: RowSource, groups: Int? = nil) throws(VDSQError) {
    let offset = try alignedOffset()
    var meter = ErrorMeter()
    var scales: [Float] = []
    var sums = ByteWriter()
    let columns = source.columns
    let quads = (columns + 3) / 4
    var length = 0
    // Rows are padded with zeros to whole quads.
    var row = [Int8](repeating: 0, count: quads * 4)
    var panel = [UInt32](repeating: 0, count: quads * 16)
    let groupCount = groups.map { (columns + $0 - 1) / $0 } ?? 0
    var factors: [UInt16] = []
    try forEachPanel(of: source) { (values, rows) throws(VDSQError) in
      if rows < 16 { panel = [UInt32](repeating: 0, count: quads * 16) }
      let firstFactor = factors.count
      factors.append(contentsOf: repeatElement(0, count: groupCount * 16))
      for r in 0..<16 {
        guard r < rows else {
          scales.append(1)
          sums.append(UInt32(0))
          continue
        }
        row.withUnsafeMutableBufferPointer { row in
          let values = values + r * columns
          if let groups {
            let (scale, sum) = Quantizer.quantize(
              values, columns, groups: groups, into: row.baseAddress!,
              factors: { factors[firstFactor + $0 * 16 + r] = $1 }, &meter)
            scales.append(scale)
            sums.append(sum)
          } else {
            scales.append(Quantizer.quantize(values, columns, into: row.baseAddress!, &meter))
            var sum: Int32 = 0
            for value in row { sum &+= Int32(value) }
            sums.append(sum)
          }
          let words = UnsafeRawPointer(row.baseAddress!)
          panel.withUnsafeMutableBufferPointer { panel in
            for quad in 0..<quads {
              panel[quad * 16 + r] = words.load(fromByteOffset: quad * 4, as: UInt32.self)
            }
          }
        }
      }
      length += panel.count * 4
      try panel.withBytes { (raw) throws(VDSQError) in try write(raw) }
    }
    let scalesOffset = try scales.withBytes { (raw) throws(VDSQError) in try part(raw) }
    let sumsOffset = try sums.bytes.withBytes { (raw) throws(VDSQError) in try part(raw) }
    var tensorGroups: TensorGroups?
    if let groups {
      tensorGroups = TensorGroups(
        length: groups,
        factorsOffset: try factors.withBytes { (raw) throws(VDSQError) in try part(raw) })
    }
    add(
      record(
        source.name, .int8, groups == nil ? .panels16 : .groups16, [source.rows, columns], offset,
        length, scales: scalesOffset, rowSums: sumsOffset, groups: tensorGroups,
        error: meter.result))
  }

  /// Writes the weights of a linear layer in panels of four bits, `[N/16][K/8][16][4]` bytes, then
  /// scales, row sums, factors and zero points of groups.
  ///
  /// - Parameters:
  ///   - groups: the columns of a group. `source.columns` is a multiple of 8.
  ///   - feedback: what makes up for the errors of rounding; nil to round to the nearest.
  func writeInt4Panels(
    _ source: RowSource, groups: Int, feedback: RoundingFeedback?
  ) throws(VDSQError) {
    let offset = try alignedOffset()
    var meter = ErrorMeter()
    let columns = source.columns
    var quantizer = FourBitQuantizer(columns: columns, groups: groups)
    let count = quantizer.groups.count
    var scales: [Float] = [], sums: [Float] = []
    var factors: [UInt16] = [], zeroPoints: [UInt8] = []
    var length = 0
    try forEachPanel(of: source) { (values, rows) throws(VDSQError) in
      var panel = [UInt8](repeating: 0, count: columns * 8)
      let first = factors.count
      factors.append(contentsOf: repeatElement(0, count: count * 16))
      zeroPoints.append(contentsOf: repeatElement(0, count: count * 16))
      for r in 0..<16 {
        guard r < rows else {
          scales.append(1)
          sums.append(0)
          continue
        }
        quantizer.quantize(values + r * columns, feedback: feedback, &meter)
        scales.append(quantizer.scale)
        sums.append(quantizer.sum)
        for (group, found) in quantizer.groups.enumerated() {
          factors[first + group * 16 + r] = found.factor
          zeroPoints[first + group * 16 + r] = found.zeroPoint
        }
        quantizer.pack { panel[$0 / 4 * 64 + r * 4 + $0 % 4] = $1 }
      }
      length += panel.count
      try panel.withBytes { (raw) throws(VDSQError) in try write(raw) }
    }
    let scalesOffset = try scales.withBytes { (raw) throws(VDSQError) in try part(raw) }
    let sumsOffset = try sums.withBytes { (raw) throws(VDSQError) in try part(raw) }
    let factorsOffset = try factors.withBytes { (raw) throws(VDSQError) in try part(raw) }
    let zeroPointsOffset = try zeroPoints.withBytes { (raw) throws(VDSQError) in try part(raw) }
    add(
      record(
        source.name, .int4, .groups16, [source.rows, columns], offset, length,
        scales: scalesOffset, rowSums: sumsOffset,
        groups: TensorGroups(
          length: groups, factorsOffset: factorsOffset, zeroPointsOffset: zeroPointsOffset),
        error: meter.result))
  }

  /// Writes the weights of a linear layer in fp16 or fp32 panels `[N/16][K][16]`.
  func writeFloatPanels(_ source: RowSource, half: Bool) throws(VDSQError) {
    let offset = try alignedOffset()
    var meter = ErrorMeter()
    let columns = source.columns
    var length = 0
    var panel = [Float](repeating: 0, count: columns * 16)
    try forEachPanel(of: source) { (values, rows) throws(VDSQError) in
      if rows < 16 { panel = [Float](repeating: 0, count: columns * 16) }
      panel.withUnsafeMutableBufferPointer {
        Self.transpose(values, rows, columns, into: $0.baseAddress!)
      }
      length += try writeElements(panel, half: half, source, &meter)
    }
    add(
      record(
        source.name, half ? .float16 : .float32, .panels16, [source.rows, columns], offset, length,
        error: meter.result))
  }

  /// Transposes at most sixteen rows to `[columns][16]`, four by four.
  private static func transpose(
    _ x: UnsafePointer<Float>, _ rows: Int, _ columns: Int, into out: UnsafeMutablePointer<Float>
  ) {
    let wholeColumns = columns & ~3, wholeRows = rows & ~3
    for k in stride(from: 0, to: wholeColumns, by: 4) {
      for row in stride(from: 0, to: wholeRows, by: 4) {
        func load(_ i: Int) -> SIMD4<Float> {
          UnsafeRawPointer(x + (row + i) * columns + k).loadUnaligned(as: SIMD4<Float>.self)
        }
        let a = load(0), b = load(1), c = load(2), d = load(3)
        for i in 0..<4 {
          UnsafeMutableRawPointer(out + (k + i) * 16 + row)
            .storeBytes(of: SIMD4(a[i], b[i], c[i], d[i]), as: SIMD4<Float>.self)
        }
      }
    }
    for row in 0..<rows {
      for k in (row < wholeRows ? wholeColumns : 0)..<columns {
        out[k * 16 + row] = x[row * columns + k]
      }
    }
  }

  /// Writes floats in single or half precision.
  ///
  /// - Returns: the number of bytes.
  private func writeElements(
    _ values: [Float], half: Bool, _ source: RowSource, _ meter: inout ErrorMeter
  ) throws(VDSQError) -> Int {
    guard half else {
      meter.addExact(values)
      try values.withBytes { (raw) throws(VDSQError) in try write(raw) }
      return values.count * 4
    }
    var bits = [UInt16](repeating: 0, count: values.count)
    guard HalfPrecision.encode(values, into: &bits, &meter) else {
      let value = values.first { !Float16($0).isFinite } ?? 0
      throw .badInput("tensor \(source.name): \(value) is beyond fp16; store int8 weights")
    }
    try bits.withBytes { (raw) throws(VDSQError) in try write(raw) }
    return bits.count * 2
  }

  /// Regroups blocks into panels of sixteen rows. Parts may begin in the middle of a panel.
  private func forEachPanel(
    of source: RowSource,
    _ body: (_ values: UnsafePointer<Float>, _ rows: Int) throws(VDSQError) -> Void
  ) throws(VDSQError) {
    var waiting: [Float] = []
    let panel = 16 * source.columns
    try source.forEachBlock { (values, _) throws(VDSQError) in
      var rest = values
      if !waiting.isEmpty { rest = waiting + values }
      let whole = rest.count / panel
      try rest.withUnsafeBufferPointer { (rest) throws(VDSQError) in
        for i in 0..<whole { try body(rest.baseAddress! + i * panel, 16) }
      }
      waiting = Array(rest[(whole * panel)...])
    }
    guard !waiting.isEmpty else { return }
    try waiting.withUnsafeBufferPointer { (rest) throws(VDSQError) in
      try body(rest.baseAddress!, rest.count / source.columns)
    }
  }

  func record(
    _ name: String, _ element: ElementType, _ order: TensorOrder, _ shape: [Int], _ offset: Int,
    _ length: Int, scales: Int = 0, rowSums: Int = 0, groups: TensorGroups? = nil,
    error: QuantizationError
  ) -> TensorRecord {
    TensorRecord(
      name: name, element: element, order: order, shape: shape, section: sectionIndex,
      dataOffset: offset, dataLength: length, scalesOffset: scales, rowSumsOffset: rowSums,
      groups: groups, error: error)
  }
}

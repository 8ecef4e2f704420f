import VDSQFormat

extension ContainerWriter {
  /// A small tensor that no checkpoint has.
  func writeConstant(_ constant: ModelSource.Constant) throws(VDSQError) {
    var out = ByteWriter()
    for value in constant.values { out.append(value) }
    let offset = try out.bytes.withBytes { (raw) throws(VDSQError) in try part(raw) }
    add(
      record(
        constant.name, .float32, .rowMajor, constant.shape, offset, out.count,
        error: QuantizationError(maxAbs: 0, rms: 0, cosine: 1)))
  }

  /// Norms, biases and other small tensors, in float32.
  func writeFloats(_ source: RowSource, shape: [Int]) throws(VDSQError) {
    let offset = try alignedOffset()
    var length = 0
    try source.forEachBlock { (values, _) throws(VDSQError) in
      var out = ByteWriter()
      for value in values { out.append(value) }
      length += out.count
      try write(out.bytes)
    }
    add(
      record(
        source.name, .float32, .rowMajor, shape, offset, length,
        error: QuantizationError(maxAbs: 0, rms: 0, cosine: 1)))
  }

  /// A table of rows in fp16 or fp32.
  func writeFloatRows(_ source: RowSource, half: Bool) throws(VDSQError) {
    let offset = try alignedOffset()
    var meter = ErrorMeter()
    var length = 0
    try source.forEachBlock { (values, _) throws(VDSQError) in
      length += try writeElements(values, half: half, source.name, &meter)
    }
    add(
      record(
        source.name, half ? .float16 : .float32, .rowMajor, [source.rows, source.columns], offset,
        length, error: meter.result))
  }

  /// A table of rows in int8, their scales behind them.
  func writeInt8Rows(_ source: RowSource) throws(VDSQError) {
    let offset = try alignedOffset()
    var meter = ErrorMeter()
    var scales = ByteWriter()
    var length = 0
    let columns = source.columns
    try source.forEachBlock { (values, rows) throws(VDSQError) in
      var q: [Int8] = []
      q.reserveCapacity(values.count)
      for row in 0..<rows {
        let slice = values[row * columns..<(row + 1) * columns]
        let scale = Quantizer.quantize(slice, into: &q)
        scales.append(scale)
        for i in slice.indices { meter.add(values[i], Float(q[i]) * scale) }
      }
      length += q.count
      try write(q.map { UInt8(bitPattern: $0) })
    }
    let scalesOffset = try scales.bytes.withBytes { (raw) throws(VDSQError) in try part(raw) }
    add(
      record(
        source.name, .int8, .rowMajor, [source.rows, columns], offset, length,
        scales: scalesOffset, error: meter.result))
  }

  /// A linear layer's weights in int8 panels `[N/16][K/4][16][4]`, then scales and row sums.
  func writeInt8Panels(_ source: RowSource) throws(VDSQError) {
    let offset = try alignedOffset()
    var meter = ErrorMeter()
    var scales = ByteWriter()
    var rowSums = ByteWriter()
    let columns = source.columns
    let quads = (columns + 3) / 4
    var length = 0
    try forEachPanel(of: source) { (values, rows) throws(VDSQError) in
      var panel = [UInt8](repeating: 0, count: quads * 64)
      for row in 0..<rows {
        let slice = values[row * columns..<(row + 1) * columns]
        var q: [Int8] = []
        q.reserveCapacity(columns)
        let scale = Quantizer.quantize(slice, into: &q)
        var sum: Int32 = 0
        for k in 0..<columns {
          panel[k / 4 * 64 + row * 4 + k % 4] = UInt8(bitPattern: q[k])
          sum += Int32(q[k])
          meter.add(values[slice.startIndex + k], Float(q[k]) * scale)
        }
        scales.append(scale)
        rowSums.append(sum)
      }
      for _ in rows..<16 {
        scales.append(Float(1))
        rowSums.append(Int32(0))
      }
      length += panel.count
      try write(panel)
    }
    let scalesOffset = try scales.bytes.withBytes { (raw) throws(VDSQError) in try part(raw) }
    let rowSumsOffset = try rowSums.bytes.withBytes { (raw) throws(VDSQError) in try part(raw) }
    add(
      record(
        source.name, .int8, .panels16, [source.rows, columns], offset, length,
        scales: scalesOffset, rowSums: rowSumsOffset, error: meter.result))
  }

  /// A linear layer's weights in fp16 or fp32 panels `[N/16][K][16]`.
  func writeFloatPanels(_ source: RowSource, half: Bool) throws(VDSQError) {
    let offset = try alignedOffset()
    var meter = ErrorMeter()
    let columns = source.columns
    var length = 0
    try forEachPanel(of: source) { (values, rows) throws(VDSQError) in
      var panel = [Float](repeating: 0, count: columns * 16)
      for row in 0..<rows {
        for k in 0..<columns { panel[k * 16 + row] = values[row * columns + k] }
      }
      length += try writeElements(panel, half: half, source.name, &meter)
    }
    add(
      record(
        source.name, half ? .float16 : .float32, .panels16, [source.rows, columns], offset, length,
        error: meter.result))
  }

  /// Writes floats as they are or in half precision.
  ///
  /// - Returns: how many bytes.
  private func writeElements(
    _ values: [Float], half: Bool, _ name: String, _ meter: inout ErrorMeter
  ) throws(VDSQError) -> Int {
    var out = ByteWriter()
    for value in values {
      if half {
        let stored = try Self.half(value, name)
        meter.add(value, Float(stored))
        out.append(stored.bitPattern)
      } else {
        meter.add(value, value)
        out.append(value)
      }
    }
    try write(out.bytes)
    return out.count
  }

  /// Regroups blocks into panels of sixteen rows; parts may begin in the middle of one.
  private func forEachPanel(
    of source: RowSource, _ body: (_ values: [Float], _ rows: Int) throws(VDSQError) -> Void
  ) throws(VDSQError) {
    var waiting: [Float] = []
    let panel = 16 * source.columns
    try source.forEachBlock { (values, _) throws(VDSQError) in
      waiting += values
      var start = 0
      while waiting.count - start >= panel {
        try body(Array(waiting[start..<start + panel]), 16)
        start += panel
      }
      waiting.removeFirst(start)
    }
    if !waiting.isEmpty { try body(waiting, waiting.count / source.columns) }
  }

  private static func half(_ value: Float, _ name: String) throws(VDSQError) -> Float16 {
    let half = Float16(value)
    guard half.isFinite else {
      throw .badInput("tensor \(name): \(value) is beyond fp16; use --weights int8")
    }
    return half
  }

  func record(
    _ name: String, _ element: ElementType, _ order: TensorOrder, _ shape: [Int], _ offset: Int,
    _ length: Int, scales: Int = 0, rowSums: Int = 0, error: QuantizationError
  ) -> TensorRecord {
    TensorRecord(
      name: name, element: element, order: order, shape: shape, section: sectionIndex,
      dataOffset: offset, dataLength: length, scalesOffset: scales, rowSumsOffset: rowSums,
      error: error)
  }
}

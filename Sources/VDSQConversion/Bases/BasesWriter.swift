import VDSQFiles
import VDSQFormat

extension ContainerWriter {
  /// The number of sections that `writeBases` writes, and `writeBalancedBases` for an int8 head.
  static func basesSections(_ weights: Converter.Weights) -> Int { weights == .int8 ? 2 : 1 }

  /// Writes the section `bases` of balanced bases: the common vector and the reciprocal lengths.
  /// For an int8 head it also writes the section `bases.fine`, the residual of the head's rounding
  /// (docs/format.md, "Bases").
  func writeBalancedBases(
    _ bases: BalancedBases, head: HeadMatrix, weights: Converter.Weights, tileRows: Int,
    progress: (Int) -> Void
  ) throws(VDSQError) {
    let d = head.columns
    let exact = QuantizationError(maxAbs: 0, rms: 0, cosine: 1)
    if weights == .int8 {
      try begin(.weights, "bases.fine")
      var rows = HeadResidual(columns: d)
      try HeadTiles(head, rows: tileRows).forEach(progress) { (_, count, tile) throws(VDSQError) in
        for row in 0..<count { rows.add(tile + row * d) }
        try write(rows.bytes)
        rows.bytes.removeAll(keepingCapacity: true)
      }
      addResidual([head.rows, d])
      try end()
    }
    try begin(.weights, "bases")
    let common = try bases.common.map { Float($0) }.withBytes { (raw) throws(VDSQError) in
      try part(raw)
    }
    add(record("bases.common", .float32, .rowMajor, [d], common, d * 4, error: exact))
    let norms = try bases.reciprocalNorms.withBytes { (raw) throws(VDSQError) in try part(raw) }
    add(
      record(
        "bases.reciprocal_norms", .float32, .rowMajor, [head.rows], norms, head.rows * 4,
        error: exact))
    try end()
  }

  /// Records the tensor `bases.fine`, which is the whole section that comes next or is being
  /// written.
  private func addResidual(_ shape: [Int]) {
    add(
      TensorRecord(
        name: "bases.fine", element: .bits4, order: .rowMajor, shape: shape,
        section: sectionIndex, dataOffset: 0, dataLength: shape[0] * ((shape[1] + 1) / 2),
        scalesOffset: 0, rowSumsOffset: 0,
        error: QuantizationError(maxAbs: 0, rms: 0, cosine: 1)))
  }

  /// Writes the section `bases`: unit rows in int8, fp16 or fp32, and the reciprocal lengths of the
  /// stored rows. For int8 it also writes the section `bases.fine`, the residual of rounding
  /// (docs/format.md, "Bases").
  ///
  /// - Parameters:
  ///   - array: receives the rows before they are scaled; nil for none.
  ///   - begin: called before the sections begin with the report, which lacks the errors.
  func writeBases(
    _ solver: BasesSolver, weights: Converter.Weights, array: NPYWriter? = nil,
    progress: (Int) -> Void,
    begin: (BasesReport) throws(VDSQError) -> Void
  ) throws(VDSQError) -> BasesReport {
    let d = solver.head.columns
    var rows = BasisRows(columns: d, weights: weights)
    var fine: ReservedSection?
    var offset = 0
    var length = 0
    let report = try solver.solve(
      progress: progress,
      begin: { (report) throws(VDSQError) in
        try begin(report)
        if weights == .int8 {
          addResidual([solver.head.rows, d])
          fine = try reserve(
            .weights, "bases.fine", length: solver.head.rows * ((d + 1) / 2))
        }
        try self.begin(.weights, "bases")
        offset = try alignedOffset()
      }
    ) { (_, bases) throws(VDSQError) in
      for start in stride(from: 0, to: bases.count, by: d) {
        let basis = UnsafeBufferPointer(rebasing: bases[start..<start + d])
        rows.add(basis)
        if let array {
          try basis.map { Float($0) }.withUnsafeBufferPointer { (row) throws(VDSQError) in
            try array.append(row)
          }
        }
        if rows.bytes.count >= 1 << 18 || start + d == bases.count {
          length += rows.bytes.count
          try write(rows.bytes.bytes)
          if let fine { try write(rows.fine, to: fine) }
          rows.clear()
        }
      }
    }
    let scalesOffset =
      weights == .int8
      ? try rows.scales.bytes.withBytes { (raw) throws(VDSQError) in try part(raw) } : 0
    let element: ElementType =
      weights == .int8 ? .int8 : weights == .fp16 ? .float16 : .float32
    add(
      record(
        "bases.rows", element, .rowMajor, [solver.head.rows, d], offset, length,
        scales: scalesOffset, error: rows.meter.result))
    let normsOffset = try rows.norms.bytes.withBytes { (raw) throws(VDSQError) in try part(raw) }
    add(
      record(
        "bases.reciprocal_norms", .float32, .rowMajor, [solver.head.rows], normsOffset,
        rows.norms.count, error: QuantizationError(maxAbs: 0, rms: 0, cosine: 1)))
    try end()
    return report
  }
}

/// What rounding to int8 removes from the head's rows, in sixteenths of a row's scale, four bits
/// each.
private struct HeadResidual {
  let columns: Int
  var bytes: [UInt8] = []
  private var meter = ErrorMeter()
  private var row: [Float]
  private var q: [Int8] = []

  init(columns: Int) {
    self.columns = columns
    row = [Float](repeating: 0, count: columns)
  }

  mutating func add(_ values: UnsafePointer<Double>) {
    for i in 0..<columns { row[i] = Float(values[i]) }
    let step = Quantizer.quantize(row, into: &q, &meter)
    for i in stride(from: 0, to: columns, by: 2) {
      bytes.append(
        fourBits(row, q, step, i) | (i + 1 < columns ? fourBits(row, q, step, i + 1) << 4 : 0))
    }
  }
}

/// The rounding residual of a value, in sixteenths of the step, as four bits.
private func fourBits(_ row: [Float], _ q: [Int8], _ step: Float, _ i: Int) -> UInt8 {
  let sixteenths = (row[i] - Float(q[i]) * step) / step * 16
  return UInt8(truncatingIfNeeded: max(-8, min(7, Int(sixteenths.rounded())))) & 15
}

/// Bases scaled to length 1 and quantized, as they are stored.
private struct BasisRows {
  let columns: Int
  let weights: Converter.Weights
  private(set) var bytes = ByteWriter()
  private(set) var fine: [UInt8] = []
  private(set) var scales = ByteWriter()
  private(set) var norms = ByteWriter()
  private(set) var meter = ErrorMeter()
  private var unit: [Float]
  private var q: [Int8] = []

  init(columns: Int, weights: Converter.Weights) {
    self.columns = columns
    self.weights = weights
    unit = [Float](repeating: 0, count: columns)
  }

  /// Removes rows that were written.
  mutating func clear() {
    bytes = ByteWriter()
    fine.removeAll(keepingCapacity: true)
  }

  mutating func add(_ basis: UnsafeBufferPointer<Double>) {
    let square = basis.reduce(0) { $0 + $1 * $1 }
    let scale = square > 0 ? 1 / square.squareRoot() : 0
    for i in 0..<columns { unit[i] = Float(basis[i] * scale) }
    switch weights {
    case .int8, .int4: addInt8()
    case .fp16:
      var length: Float = 0
      for value in unit {
        let half = Float16(value)
        bytes.append(half.bitPattern)
        meter.add(value, Float(half))
        length += Float(half) * Float(half)
      }
      norms.append(length > 0 ? 1 / length.squareRoot() : 0)
    case .fp32:
      for value in unit {
        bytes.append(value)
        meter.add(value, value)
      }
      norms.append(square > 0 ? Float(1) : 0)
    }
  }

  private mutating func addInt8() {
    let step = Quantizer.quantize(unit, into: &q, &meter)
    scales.append(step)
    norms.append(Quantizer.reciprocalNorm(of: q))
    q.withUnsafeBytes { bytes.append(bytes: $0) }
    for i in stride(from: 0, to: columns, by: 2) {
      fine.append(
        fourBits(unit, q, step, i) | (i + 1 < columns ? fourBits(unit, q, step, i + 1) << 4 : 0))
    }
  }
}

extension Metadata {
  /// Metadata about the computation of bases.
  mutating func set(bases report: BasesReport, options: BasesOptions) {
    set("bases_method", .text(report.method.rawValue))
    if report.method == .balanced {
      set("bases_temperature", .number(report.temperature ?? 1))
      set("bases_ridge", .number(BalancedBases.ridge))
      set("bases_calibration_text", .text("sha256:" + CalibrationText.digest))
    }
    guard report.method.isSolved else { return }
    if report.method == .ridge { set("bases_lambda", .number(options.lambda)) }
    if let rcond = options.rcond { set("bases_rcond", .number(rcond)) }
    set("bases_condition", .number(report.condition))
    set("bases_rank", .integer(report.rank))
    set("bases_effective_rank", .number(report.effectiveRank))
  }
}

import VDSQCheckpoints
import VDSQFiles
import VDSQFormat
import VDSQKernels

extension ContainerWriter {
  /// Writes what a search over the word embeddings needs: the reciprocal lengths of the int8 rows
  /// and, if requested, the rows with two bits per dimension (docs/format.md, "Vocabulary").
  func writeVocabulary(_ source: RowSource, coarse: Bool) throws(VDSQError) {
    let columns = source.columns
    let rotation = CoarseRotation(columns: columns)
    let blockBytes = CoarseRows.rowBytes(columns) * CoarseRows.blockRows
    var norms = ByteWriter()
    var scales = ByteWriter()
    var meter = ErrorMeter()
    var block = [UInt8](repeating: 0, count: blockBytes)
    var scratch = [Float](repeating: 0, count: columns)
    let offset = try alignedOffset()
    var length = 0
    var row = 0
    func endBlock() throws(VDSQError) {
      length += blockBytes
      try write(block)
      block = [UInt8](repeating: 0, count: blockBytes)
    }
    try source.forEachBlock { (values, count) throws(VDSQError) in
      for first in stride(from: 0, to: count * columns, by: columns) {
        var q: [Int8] = []
        var unused = ErrorMeter()
        _ = Quantizer.quantize(Array(values[first..<first + columns]), into: &q, &unused)
        norms.append(Quantizer.reciprocalNorm(of: q))
        guard coarse else { continue }
        var rotated = q.map(Float.init)
        rotated.withUnsafeMutableBufferPointer { x in
          scratch.withUnsafeMutableBufferPointer { rotation.apply(x.baseAddress!, $0.baseAddress!) }
        }
        let scale = CoarseRows.encode(rotated, columns: columns, row: row, into: &block)
        scales.append(scale)
        // The error compares unit rows with their estimates, because the codes only keep
        // directions.
        let length = rotated.reduce(0) { $0 + $1 * $1 }.squareRoot()
        for i in 0..<columns where length > 0 {
          meter.add(rotated[i] / length, CoarseRows.level(i, row: row, in: block) * scale)
        }
        row += 1
        if row % CoarseRows.blockRows == 0 { try endBlock() }
      }
    }
    if coarse {
      if row % CoarseRows.blockRows != 0 { try endBlock() }
      scales.pad(to: length / blockBytes * CoarseRows.blockRows * 4)
      let scalesOffset = try scales.bytes.withBytes { (raw) throws(VDSQError) in try part(raw) }
      add(
        record(
          "vocabulary.coarse", .bits2, .blocks64, [source.rows, columns], offset, length,
          scales: scalesOffset, error: meter.result))
    }
    let normsOffset = try norms.bytes.withBytes { (raw) throws(VDSQError) in try part(raw) }
    add(
      record(
        "vocabulary.reciprocal_norms", .float32, .rowMajor, [source.rows], normsOffset, norms.count,
        error: QuantizationError(maxAbs: 0, rms: 0, cosine: 1)))
  }
}

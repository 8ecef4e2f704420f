import VDSQFormat

extension RowSource {
  /// The number of sampled rows of each part.
  private static let sampled = 64
  /// Groups are used only if less than this share of the error remains, because they take space and
  /// time.
  private static let worthwhile: Float = 0.8

  /// Whether factors for groups of columns are worth their space, according to a sample of rows.
  func gainsFromGroups(of length: Int) throws(VDSQError) -> Bool {
    var whole = ErrorMeter(), grouped = ErrorMeter()
    var q = [Int8](repeating: 0, count: columns)
    for part in parts.indices {
      let rows = min(Self.sampled, parts[part].rows.count)
      let values = try read(0..<rows, ofPart: part)
      values.withUnsafeBufferPointer { values in
        q.withUnsafeMutableBufferPointer { q in
          for row in 0..<rows {
            let x = values.baseAddress! + row * columns
            _ = Quantizer.quantize(x, columns, into: q.baseAddress!, &whole)
            _ = Quantizer.quantize(
              x, columns, groups: length, into: q.baseAddress!, factors: { _, _ in }, &grouped)
          }
        }
      }
    }
    return grouped.result.rms < whole.result.rms * Self.worthwhile
  }
}

import VDSQFormat
import VDSQStreams

/// An error of stored values as three columns: the largest, the root of the mean square, the
/// cosine.
func errorColumns(_ error: QuantizationError) -> String {
  "\(rightAligned(significant(Double(error.maxAbs)), 10)) "
    + "\(rightAligned(significant(Double(error.rms)), 10)) "
    + rightAligned(fixed(Double(error.cosine), 6), 10)
}

extension JSONWriter {
  /// An error of stored values as members of the open object.
  func members(of error: QuantizationError) {
    member("max_abs", error.maxAbs)
    member("rms", error.rms)
    member("cosine", error.cosine)
  }
}

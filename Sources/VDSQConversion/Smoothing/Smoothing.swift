import Glibc
import VDSQFormat

/// How columns of activations are scaled before they are rounded to integers, with the inverse
/// scales in the weights that read them (SmoothQuant, Xiao et al., arXiv 2211.10438).
///
/// A column with large activations takes the steps of all others of its token. Divided by a scale,
/// it takes fewer; the column of the weights is multiplied by the scale. The division is part of
/// the norm or of the rows of the linear layer before, so it costs nothing at run time.
public enum Smoothing: Sendable, Equatable {
  /// No scales.
  case none
  /// Scales that minimize the expected error of integer products on the calibration text, in
  /// int8 and int4 models whose norms precede linear layers.
  case automatic
  /// SmoothQuant's `max |x_j|^a / max |w_j|^(1 - a)` with the exponent `a`, 0 to 1, in every model
  /// and for every type of weights.
  case exponent(Double)
}

/// What was scaled in a conversion.
struct SmoothingReport {
  /// The number of inputs of linear layers whose columns were scaled.
  var inputs = 0
  /// The sums over those inputs of the logarithm of the expected error after and before.
  var logError = 0.0

  /// The expected squared error of the products relative to that without scales, as the geometric
  /// mean over inputs.
  var error: Double { inputs > 0 ? exp(logError / Double(inputs)) : 1 }

  /// Adds an input with its error relative to that without scales.
  mutating func add(error: Double) {
    inputs += 1
    logError += log(max(error, .leastNormalMagnitude))
  }
}

extension Metadata {
  /// Records how activations were scaled.
  mutating func set(smoothing: Smoothing, _ report: SmoothingReport) {
    switch smoothing {
    case .none: return
    case .automatic: set("smoothing_method", .text("minimum_error"))
    case .exponent(let exponent):
      set("smoothing_method", .text("smoothquant"))
      set("smoothing_exponent", .number(exponent))
    }
    set("smoothing_inputs", .integer(report.inputs))
    // Few digits, so that files do not depend on how the machine rounds logarithms.
    set("smoothing_error", .number((report.error * 1000).rounded() / 1000))
    set("smoothing_calibration_text", .text("sha256:" + CalibrationText.digest))
  }
}

package import VDSQFiles
package import VDSQFormat
package import VDSQInference
import VDSQKernels
package import VDSQSemantics

/// The gradients of a token's loss in latent space, at every layer and position.
///
/// The loss is `-log softmax(cosines / temperature)` of the token over the whole vocabulary, as the
/// basis lens sees the state; its gradient with respect to that state has a closed form
/// (docs/vocabulary-semantics.md, "Gradients").
package enum LensGradients {
  /// Writes `[layers + 1, tokens, dimensions]`, float32.
  ///
  /// - Throws: `usage` if the file cannot be written; `badInput` if the model has no bases, or
  ///   fails.
  package static func write(
    _ text: String, token: Int32, encoder: TextEncoder, options: Lens.Options, to path: String,
    replace: Bool
  ) throws(VDSQError) {
    let rows = try VocabularyRows(options.bases, of: encoder.container, encoder.kernels)
    let logits = VocabularyLogits(rows: rows, encoder: encoder, capacity: 1)
    let trace = try Array(text.utf8).withBytes { (raw) throws(VDSQError) in
      try encoder.trace(raw)
    }
    guard rows.dimensions == trace.dimensions, Int(token) < rows.count else {
      throw .badInput("\(encoder.container.path): bases of another size than the model's states")
    }
    let temperature = options.temperature ?? rows.temperature ?? Classifier.defaultTemperature
    let file = try NPYWriter(
      path: path, rowShape: [trace.ids.count, trace.dimensions], replace: replace)
    let size = trace.ids.count * trace.dimensions
    var gradients = [Float](repeating: 0, count: size)
    for layer in 0..<trace.layers {
      trace.states.withUnsafeBufferPointer { states in
        gradients.withUnsafeMutableBufferPointer { out in
          for start in stride(from: 0, to: size, by: trace.dimensions) {
            _ = logits.gradient(
              state: states.baseAddress! + layer * size + start, target: token,
              temperature: temperature, into: out.baseAddress! + start)
          }
        }
      }
      try gradients.withUnsafeBufferPointer { (values) throws(VDSQError) in
        try file.append(values)
      }
    }
    try file.finish()
  }
}

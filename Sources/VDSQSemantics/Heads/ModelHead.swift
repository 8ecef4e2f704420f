import CShims
package import VDSQFormat
import VDSQInference
package import VDSQKernels

/// The head that a model was trained with: `...ForSequenceClassification` and
/// `...ForTokenClassification` of transformers.
package struct ModelHead: Sendable {
  /// What it reads, its labels, and what its logits mean.
  package let description: OutputHead
  /// The number of elements of a state.
  package let inputs: Int
  private let modules: OutputModules

  /// The head of a model; nil if it has none.
  ///
  /// - Throws: `badInput` if its description or a tensor does not match the format.
  package init?(_ container: Container, kernels: KernelTable) throws(VDSQError) {
    guard let description = try OutputHead(container.metadata) else { return nil }
    self.description = description
    inputs = try Architecture(container.metadata).hiddenSize
    modules = try OutputModules(
      container, description.modules, name: "classifier", inputs: inputs, kernels: kernels)
    guard modules.outputs == description.labels.count else {
      throw .badInput("\(container.path): the head has another number of outputs than of labels")
    }
  }

  /// The head that reads texts.
  ///
  /// - Throws: `usage` if the model has none.
  package static func ofTexts(
    _ container: Container, kernels: KernelTable
  ) throws(VDSQError) -> ModelHead {
    guard let head = try ModelHead(container, kernels: kernels) else {
      throw .usage(
        "\(container.path): the model has no classification head of its own; name labels, or use "
          + "an adapter")
    }
    guard head.description.reading == .texts else {
      throw .usage(
        "\(container.path): the model's head labels tokens, not texts; vdsq tag uses it")
    }
    return head
  }

  /// The bytes of a model's head: its weights, of which nothing is resident before it is used, and
  /// its names.
  package static func bytes(_ container: Container) -> Int {
    var sum = 0
    for tensor in container.tensors where tensor.name.utf8.starts(with: "classifier.".utf8) {
      sum += tensor.dataLength
    }
    return sum
  }

  /// Floats of scratch memory that `logits` needs.
  package var scratchCount: Int { modules.scratchCount }

  /// The logits of a state.
  ///
  /// - Parameters:
  ///   - scratch: a buffer of `scratchCount` floats.
  ///   - logits: receives a float per label.
  package func logits(
    _ state: UnsafePointer<Float>, scratch: UnsafeMutablePointer<Float>,
    into logits: UnsafeMutablePointer<Float>
  ) {
    modules.apply(state, scratch: scratch, into: logits)
  }

  /// Sets the probabilities of scores whose cosines are logits.
  func setProbabilities(of scores: inout LabelScores, temperature: Float) {
    for i in scores.ranking.indices {
      scores.ranking[i] = i
      scores.probabilities[i] = scores.cosines[i]
    }
    description.function.apply(to: &scores.probabilities, temperature: temperature)
  }
}

extension OutputHead.Function {
  /// Makes probabilities of logits, or leaves them.
  package func apply(to logits: inout [Float], temperature: Float = 1) {
    switch self {
    case .softmax: CosineLogits.softmax(&logits, temperature: temperature)
    case .sigmoid: for i in logits.indices { logits[i] = logistic(logits[i] / temperature) }
    case .identity: break
    }
  }
}

/// The logistic function.
private func logistic(_ x: Float) -> Float {
  x >= 0 ? 1 / (1 + vdsq_expf(-x)) : vdsq_expf(x) / (1 + vdsq_expf(x))
}

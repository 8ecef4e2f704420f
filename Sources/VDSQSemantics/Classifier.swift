package import VDSQFormat
package import VDSQKernels

/// Computes probabilities of labels for states: from their cosines to the label anchors, from the
/// label words of a language model, from the head of an adapter, or from the model's own head. It
/// is a value without mutable state; results and scratch memory are in `LabelScores`.
package struct Classifier: Sendable {
  /// The default temperature of cosines: a sentence encoder's cosines to any two labels lie close
  /// together.
  package static let defaultTemperature: Float = 0.05

  /// The labels and their anchors.
  package let labels: LabelSet
  /// The softmax temperature, by which logits are divided; above 0.
  package let temperature: Float
  private let head: Head?
  /// The probability from which each label is given; nil if the most probable one is the answer.
  package let thresholds: [Float]?
  /// The head that the model was trained with, if it tells the labels.
  package let modelHead: ModelHead?
  /// The hypotheses of the labels, if the model's own head tells what follows from a text.
  package let entailment: Entailment?
  private let kernels: KernelTable

  /// A classifier by label words: by cosines to anchors, or by a language model's head.
  ///
  /// - Parameters:
  ///   - temperature: the softmax temperature; nil for `defaultTemperature` of cosines, and 1 for the
  ///     logits of a language model.
  ///   - kernels: the SIMD kernels to use.
  /// - Throws: `usage` if the temperature is not positive.
  package init(
    labels: LabelSet, temperature: Float? = nil, kernels: KernelTable
  ) throws(VDSQError) {
    try self.init(
      labels, nil, temperature ?? (labels.wordHead == nil ? Self.defaultTemperature : 1), kernels)
  }

  /// A classifier with an adapter.
  ///
  /// - Parameters:
  ///   - temperature: the softmax temperature; nil for that of the adapter.
  ///   - kernels: the SIMD kernels to use.
  /// - Throws: `usage` if the temperature is not positive.
  package init(
    adapter: Adapter, temperature: Float? = nil, kernels: KernelTable
  ) throws(VDSQError) {
    try self.init(
      adapter.labels, adapter.head, temperature ?? adapter.temperature, kernels,
      thresholds: adapter.thresholds)
  }

  /// A classifier by the model's own head.
  ///
  /// - Parameters:
  ///   - template: the template around texts; nil for none.
  ///   - temperature: what logits are divided by; nil for 1.
  /// - Throws: `usage` if the temperature is not positive, or the head's answer is no probability
  ///   and there is one; or if the template goes around label words.
  package init(
    modelHead: ModelHead, template: Template? = nil, temperature: Float? = nil,
    kernels: KernelTable
  ) throws(VDSQError) {
    guard temperature == nil || modelHead.description.function != .identity else {
      throw .usage("the model's head answers with values, not with probabilities", .temperature)
    }
    if let template, !template.aroundTexts {
      throw .usage(
        "the model's own head reads no label words; write {text} for the text", .template)
    }
    try self.init(
      LabelSet(
        names: modelHead.description.labels, dimensions: modelHead.inputs, anchors: [],
        template: template),
      nil, temperature ?? 1, kernels, modelHead)
  }

  /// A classifier by the hypotheses of labels.
  ///
  /// - Parameter temperature: what logits are divided by; nil for 1.
  /// - Throws: `usage` if the temperature is not positive.
  package init(
    labels: [Label], entailment: Entailment, dimensions: Int, template: Template?,
    temperature: Float? = nil, kernels: KernelTable
  ) throws(VDSQError) {
    try self.init(
      LabelSet(
        names: labels.map { $0.name }, dimensions: dimensions, anchors: [], template: template),
      nil, temperature ?? 1, kernels, nil, entailment)
  }

  private init(
    _ labels: LabelSet, _ head: Head?, _ temperature: Float, _ kernels: KernelTable,
    _ modelHead: ModelHead? = nil, _ entailment: Entailment? = nil, thresholds: [Float]? = nil
  ) throws(VDSQError) {
    guard temperature > 0, temperature.isFinite else {
      throw .usage("a temperature must be above 0", .temperature)
    }
    self.labels = labels
    self.head = head
    self.modelHead = modelHead
    self.entailment = entailment
    self.thresholds = thresholds
    self.temperature = temperature
    self.kernels = kernels
  }

  /// Whether one label is right, so that the probabilities of all sum to 1.
  package var isChoice: Bool {
    if thresholds != nil { return false }
    if let entailment { return !entailment.isMultiLabel }
    return modelHead.map { $0.description.function == .softmax } ?? true
  }

  /// Whether scores are logits of the model's own head, and not cosines.
  package var hasLogits: Bool { modelHead != nil || entailment != nil }

  /// Whether the answer is a value, and no probability.
  package var answersWithValues: Bool {
    modelHead.map { $0.description.function == .identity } ?? false
  }

  /// A reusable buffer for the results of this classifier.
  package func makeScores() -> LabelScores {
    LabelScores(
      labels: labels.count, dimensions: labels.dimensions,
      scratch: entailment?.scratchCount ?? modelHead?.scratchCount ?? head?.scratchCount ?? labels
        .wordHead?.scratchCount ?? 0)
  }

  /// Classifies a text by the logits of its hypotheses (`Entailment.logit`).
  package func classify(
    logits: ArraySlice<Float>, top: Int, into scores: inout LabelScores
  ) {
    var place = 0
    for logit in logits {
      (scores.cosines[place], scores.probabilities[place], scores.ranking[place]) =
        (logit, logit, place)
      place += 1
    }
    entailment?.function.apply(to: &scores.probabilities, temperature: temperature)
    scores.rank(top)
  }

  /// The logit of a hypothesis (`Entailment.logit`) from the state of its pair.
  package func logit(_ state: UnsafePointer<Float>, _ scores: inout LabelScores) -> Float {
    scores.scratch.withUnsafeMutableBufferPointer {
      entailment?.logit(state, scratch: $0.baseAddress!) ?? 0
    }
  }

  /// Classifies one state.
  ///
  /// - Parameters:
  ///   - state: `labels.dimensions` floats.
  ///   - words: what `TextStates` gives for the text besides.
  ///   - top: the number of labels to rank.
  package func scores(
    of state: UnsafePointer<Float>, words: UnsafePointer<Float>? = nil, top: Int = 1
  ) -> LabelScores {
    var scores = makeScores()
    classify(state, words: words, top: top, into: &scores)
    return scores
  }

  /// Classifies one state without allocating memory.
  ///
  /// - Parameters:
  ///   - state: `labels.dimensions` floats.
  ///   - words: what `TextStates` gives for the text besides.
  ///   - top: the number of labels to rank.
  ///   - scores: the buffer from `makeScores` of this classifier.
  package func classify(
    _ state: UnsafePointer<Float>, words continued: UnsafePointer<Float>? = nil, top: Int,
    into scores: inout LabelScores
  ) {
    if let modelHead {
      scores.cosines.withUnsafeMutableBufferPointer { logits in
        scores.scratch.withUnsafeMutableBufferPointer {
          modelHead.logits(state, scratch: $0.baseAddress!, into: logits.baseAddress!)
        }
      }
      modelHead.setProbabilities(of: &scores, temperature: temperature)
      return scores.rank(top)
    }
    let d = labels.dimensions
    for j in 0..<d { scores.state[j] = state[j] }
    let norm = scores.state.withUnsafeMutableBufferPointer { moved in
      scores.scratch.withUnsafeMutableBufferPointer {
        head?.move(state, to: moved.baseAddress!, scratch: $0.baseAddress!, kernels)
      }
      labels.anchors.withUnsafeBufferPointer { anchors in
        scores.cosines.withUnsafeMutableBufferPointer {
          kernels.dotRows(
            moved.baseAddress!, anchors.baseAddress!, labels.count, d, $0.baseAddress!)
        }
      }
      return length(moved.baseAddress!, d)
    }
    for i in scores.cosines.indices {
      scores.cosines[i] = norm > 0 ? scores.cosines[i] / norm : 0
      scores.probabilities[i] = scores.cosines[i]
      scores.ranking[i] = i
    }
    if head == nil, let words = labels.wordHead {
      scores.probabilities.withUnsafeMutableBufferPointer { logits in
        scores.scratch.withUnsafeMutableBufferPointer {
          words.logits(
            state, words: continued, kernels, scratch: $0.baseAddress!, into: logits.baseAddress!)
        }
      }
    }
    if let head {
      scores.probabilities.withUnsafeMutableBufferPointer { logits in
        scores.scratch.withUnsafeMutableBufferPointer {
          head.logits(state, dimensions: d, scratch: $0.baseAddress!, kernels, into: logits)
        }
      }
    }
    (isChoice ? OutputHead.Function.softmax : .sigmoid).apply(
      to: &scores.probabilities, temperature: temperature)
    scores.rank(top)
  }
}

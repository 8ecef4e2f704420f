/// The head that a model was trained with, as metadata describe it: what it reads, its modules, its
/// labels, and what its logits mean. The tensors of module i are `classifier.i.weight` and
/// `classifier.i.bias`.
package struct OutputHead: Equatable, Sendable {
  /// What the head reads.
  package enum Reading: CaseIterable, Sendable {
    /// The pooled state of a text, or of a pair of texts.
    case texts
    /// The state of each token.
    case tokens

    var name: String {
      switch self {
      case .texts: "texts"
      case .tokens: "tokens"
      }
    }
  }

  /// What makes scores of logits.
  package enum Function: CaseIterable, Sendable {
    /// One label is right: the probabilities of all sum to 1.
    case softmax
    /// Each label is right or wrong by itself.
    case sigmoid
    /// The logits are the answer, as in regression.
    case identity

    var name: String {
      switch self {
      case .softmax: "softmax"
      case .sigmoid: "sigmoid"
      case .identity: "identity"
      }
    }
  }

  package var reading: Reading
  package var function: Function
  /// What a cross-encoder makes of its logit; nil if the checkpoint does not say that it is one.
  package var rankingFunction: Function?
  package var modules: [OutputModule]
  /// The labels in the order of the logits.
  package var labels: [String]

  package init(
    reading: Reading, function: Function, rankingFunction: Function? = nil,
    modules: [OutputModule], labels: [String]
  ) {
    self.reading = reading
    self.function = function
    self.rankingFunction = rankingFunction
    self.modules = modules
    self.labels = labels
  }

  /// The most labels of a head.
  package static let mostLabels = 1 << 16

  /// The head of a model; nil if it has none.
  ///
  /// - Throws: `badInput` if a value is missing, unknown or out of range.
  package init?(_ metadata: Metadata) throws(VDSQError) {
    guard metadata.find("head") != nil else { return nil }
    let reading = try metadata.text("head")
    guard let read = Reading.allCases.first(where: { $0.name.utf8.elementsEqual(reading.utf8) })
    else { throw .badInput("\(metadata.path): metadata: head \(reading) is not supported") }
    self.reading = read
    function = try Self.function(try metadata.text("head_function"), metadata)
    rankingFunction =
      metadata.find("ranking_function") == nil
      ? nil : try Self.function(try metadata.text("ranking_function"), metadata)
    modules = try OutputModule.list("head_modules", in: metadata)
    labels = []
    for i in 0..<(try metadata.integer("head_labels", in: 1...Self.mostLabels)) {
      guard let label = metadata.find("head_label.\(i)") else {
        throw .badInput("\(metadata.path): metadata: head_label.\(i) is missing or no text")
      }
      labels.append(label)
    }
  }

  private static func function(
    _ name: String, _ metadata: Metadata
  ) throws(VDSQError) -> Function {
    guard let function = Function.allCases.first(where: { $0.name.utf8.elementsEqual(name.utf8) })
    else { throw .badInput("\(metadata.path): metadata: function \(name) is not supported") }
    return function
  }

  /// Adds the head to metadata.
  package func store(in metadata: inout Metadata) {
    metadata.set("head", .text(reading.name))
    metadata.set("head_function", .text(function.name))
    if let rankingFunction { metadata.set("ranking_function", .text(rankingFunction.name)) }
    metadata.set("head_modules", .text(OutputModule.text(of: modules)))
    metadata.set("head_labels", .integer(labels.count))
    for (i, label) in labels.enumerated() { metadata.set("head_label.\(i)", .text(label)) }
  }
}

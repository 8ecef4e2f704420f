public import VDSQFormat
public import VDSQInference
package import VDSQKernels
package import VDSQTokenizers

/// Labels with their anchors, the unit vectors with which the state of a text is compared
/// (docs/vocabulary-semantics.md, "Label anchors").
public struct LabelSet: Sendable {
  /// The labels' names in the order of the rows of `anchors`, which is the order of logits.
  public let names: [String]
  /// The number of dimensions of an anchor.
  public let dimensions: Int
  /// `[labels, dimensions]`, each row of length 1. The row of the out-of-scope label is the mean of
  /// the others; no text is closer to it than to the closest of them.
  public let anchors: [Float]
  /// The index of the out-of-scope label; nil if there is none.
  public let outOfScope: Int?
  /// The words of each label, of which its anchor was made; empty for the out-of-scope label.
  public let words: [[String]]
  /// The template that went around label words, or that goes around texts; nil for the default.
  public internal(set) var template: Template?
  /// The model's prompt that preceded the label words, by its name; nil for the default.
  package internal(set) var prompt: String?
  /// The number of dimensions that vectors were cut to; nil for all.
  package internal(set) var cutDimensions: Int?
  /// The label words as a classifier of a language model's states; nil for sentence encoders, and
  /// for labels from an adapter's file.
  package private(set) var wordHead: LabelWordsHead?

  /// Labels with anchors of length 1, which are used as they are.
  ///
  /// - Parameters:
  ///   - anchors: `[labels, dimensions]`.
  ///   - outOfScope: the index of the out-of-scope label; nil if there is none.
  ///   - words: the words of each label; nil if they are the names.
  ///   - template: the template around label words or around texts.
  package init(
    names: [String], dimensions: Int, anchors: [Float], outOfScope: Int? = nil,
    words: [[String]]? = nil, template: Template? = nil
  ) {
    self.names = names
    self.dimensions = dimensions
    self.anchors = anchors
    self.outOfScope = outOfScope
    self.words = words ?? names.indices.map { $0 == outOfScope ? [] : [names[$0]] }
    self.template = template
  }

  /// Scales summed anchors to length 1.
  private init(
    _ labels: [Label], _ d: Int, sums: [Float], template: Template?
  ) throws(VDSQError) {
    var anchors = sums
    let outOfScope = labels.firstIndex { $0.words.isEmpty }
    for (i, label) in labels.enumerated() where i != outOfScope {
      try Self.normalize(&anchors, row: i, d, label)
    }
    if let outOfScope {
      guard labels.count > 1 else { throw .usage("labels: there is none but what is out of scope") }
      Self.average(&anchors, row: outOfScope, d)
    }
    self.init(
      names: labels.map { $0.name }, dimensions: d, anchors: anchors, outOfScope: outOfScope,
      words: labels.map { $0.words }, template: template)
  }

  /// Sets a row to the mean of the others.
  private static func average(_ anchors: inout [Float], row: Int, _ d: Int) {
    for j in 0..<d {
      var sum: Float = 0
      for start in stride(from: 0, to: anchors.count, by: d) where start != row * d {
        sum += anchors[start + j]
      }
      anchors[row * d + j] = sum / Float(anchors.count / d - 1)
    }
  }

  /// The labels with their words.
  package var labels: [Label] {
    names.indices.map {
      $0 == outOfScope ? .outOfScope(names[$0]) : Label(name: names[$0], words: words[$0])
    }
  }

  /// The number of labels, the out-of-scope label included.
  public var count: Int { names.count }

  /// The name of the out-of-scope label; nil if there is none.
  public var outOfScopeName: String? { outOfScope.map { names[$0] } }

  /// The set without a label.
  package func removing(_ label: Int) -> LabelSet {
    var (names, anchors, words) = (names, anchors, words)
    names.remove(at: label)
    words.remove(at: label)
    anchors.removeSubrange(label * dimensions..<(label + 1) * dimensions)
    let scope = outOfScope.flatMap { $0 == label ? nil : $0 - ($0 > label ? 1 : 0) }
    if let scope, names.count > 1 { Self.average(&anchors, row: scope, dimensions) }
    return LabelSet(
      names: names, dimensions: dimensions, anchors: anchors, outOfScope: scope, words: words,
      template: template
    ).like(self)
  }

  /// Whether the labels' vectors were made by an encoder with the prompt and the cut of options.
  package func hasVectors(of options: TextEncoder.Options) -> Bool {
    Self.isSame(prompt, options.prompt) && cutDimensions == options.dimensions
  }

  /// Whether two prompts, nil for the default, have the same name.
  static func isSame(_ a: String?, _ b: String?) -> Bool {
    guard let a, let b else { return a == nil && b == nil }
    return a.utf8.elementsEqual(b.utf8)
  }

  /// The set with the prompt and the cut of another.
  func like(_ other: LabelSet) -> LabelSet {
    var set = self
    (set.prompt, set.cutDimensions) = (other.prompt, other.cutDimensions)
    return set
  }

  /// The set followed by the labels of another set of the same dimensions.
  ///
  /// - Throws: `usage` if both sets have a label of the same name.
  package func adding(_ other: LabelSet) throws(VDSQError) -> LabelSet {
    for name in other.names where names.contains(where: { $0.utf8.elementsEqual(name.utf8) }) {
      throw .usage("labels: \(name) is there already")
    }
    var anchors = anchors + other.anchors
    if let outOfScope { Self.average(&anchors, row: outOfScope, dimensions) }
    return LabelSet(
      names: names + other.names, dimensions: dimensions, anchors: anchors, outOfScope: outOfScope,
      words: words + other.words, template: template
    ).like(self)
  }

  /// The first columns of all anchors, scaled to length 1 again.
  package func prefix(_ columns: Int) -> LabelSet {
    guard columns < dimensions else { return self }
    var cut: [Float] = []
    cut.reserveCapacity(count * columns)
    for start in stride(from: 0, to: anchors.count, by: dimensions) {
      var square: Float = 0
      for i in start..<start + columns { square += anchors[i] * anchors[i] }
      let scale = square > 0 ? 1 / square.squareRoot() : 0
      for i in start..<start + columns { cut.append(anchors[i] * scale) }
    }
    if let outOfScope { Self.average(&cut, row: outOfScope, columns) }
    return LabelSet(
      names: names, dimensions: columns, anchors: cut, outOfScope: outOfScope, words: words,
      template: template
    ).like(self)
  }

  /// Labels for a model. A model with an LM head compares states with the head's rows of label
  /// words, and its anchors are vocabulary bases; with a choice of bases, it compares states with
  /// these anchors. Anchors of other models are their own vectors of the words.
  ///
  /// - Parameters:
  ///   - encoder: an encoder with an empty batch.
  ///   - bases: the bases of a language model's anchors, which then classify; nil for the head.
  ///   - reference: texts of the kind that will be classified. The mean of their scores is subtracted
  ///     from a language model's scores; if there are none, the scores without a text are.
  /// - Throws: `usage` for an empty or ambiguous list, a word that is too long for the model, or a
  ///   template or reference texts that it cannot use; `badInput` if the words of a label cancel
  ///   out or the model fails.
  public init(
    _ labels: [Label], encoder: TextEncoder, template: Template?, bases: BasesChoice? = nil,
    reference: [String] = []
  ) throws(VDSQError) {
    guard encoder.kind != .sentences else {
      guard bases == nil else {
        throw .usage("a sentence encoder compares texts with label words as texts", .bases)
      }
      guard reference.isEmpty else {
        throw .usage("for language models; a sentence encoder needs none", .referenceTexts)
      }
      try self.init(labels, vectors: encoder, template: template)
      return
    }
    if let template, !template.aroundTexts {
      throw .usage(
        "a language model's template goes around texts; write {text} for the text", .template)
    }
    let around = try TextTemplate(template, encoder: encoder)
    let container = encoder.container
    if let bases {
      guard reference.isEmpty else {
        throw .usage("for scores of the LM head; cosines to bases take none", .referenceTexts)
      }
      try self.init(
        labels, bases: try VocabularyRows(bases, of: container, encoder.kernels),
        tokenizer: encoder.tokenizer, kernels: encoder.kernels, template: template)
      return
    }
    try self.init(
      labels,
      bases: container.hasBases
        ? try VocabularyRows(bases: container) : try VocabularyRows(head: container),
      tokenizer: encoder.tokenizer, kernels: encoder.kernels, template: template)
    let head = try LabelWordsHead(
      labels, head: try VocabularyRows(head: container), tokenizer: encoder.tokenizer,
      kernels: encoder.kernels,
      runs: encoder.options.continuations.nodes > 0 ? encoder.kind : nil)
    wordHead = try Self.subtracting(
      reference.isEmpty ? [""] : reference, from: head, around, encoder)
  }

  /// The maximum number of reference texts for words of several tokens, which take the model ten
  /// times as long.
  private static let mostContinued = 200

  /// Subtracts a share of the scores of the mean of texts inside a template.
  private static func subtracting(
    _ all: [String], from head: LabelWordsHead, _ template: TextTemplate, _ encoder: TextEncoder
  ) throws(VDSQError) -> LabelWordsHead {
    let count = head.longWords == nil ? all.count : min(all.count, mostContinued)
    let texts = (0..<count).map { all[$0 * all.count / count] }
    let d = encoder.dimensions
    let states = try TextStates(head.longWords, encoder: encoder)
    var template = template
    var mean = [Float](repeating: 0, count: d)
    var words = [Float](repeating: 0, count: head.longWords?.words ?? 0)
    let share = 1 / Float(count)
    func encode() throws(VDSQError) {
      try states.encode { _, state, own in
        for j in 0..<d { mean[j] += state[j] * share }
        for i in words.indices { words[i] += own![i] * share }
      }
    }
    for text in texts {
      if !encoder.hasRoom { try encode() }
      Array(text.utf8).withUnsafeBytes { _ = template.add($0, to: encoder) }
    }
    try encode()
    return head.subtracting(
      mean, words: head.longWords == nil ? nil : words, encoder.kernels)
  }

  /// Anchors for a language model. The vector of a word is the normalised mean of the bases of its
  /// tokens; the anchor is the normalised mean over the words of the label.
  ///
  /// - Throws: `usage` for an empty or ambiguous list, or a word that is too long; `badInput` if
  ///   the words of a label have no tokens, or cancel out.
  package init(
    _ labels: [Label], bases: VocabularyRows, tokenizer: Tokenizer, kernels: KernelTable,
    template: Template? = nil
  ) throws(VDSQError) {
    let labels = try Label.checked(labels)
    let d = bases.dimensions
    var anchors = [Float](repeating: 0, count: labels.count * d)
    var word = [Float](repeating: 0, count: d)
    var row = word
    var scratch = [UInt8](repeating: 0, count: max(1, bases.scratchBytes))
    for (i, label) in labels.enumerated() {
      for text in label.words {
        for j in 0..<d { word[j] = 0 }
        for id in try tokenizer.tokens(ofWord: text, in: label) where Int(id) < bases.count {
          row.withUnsafeMutableBufferPointer { row in
            scratch.withUnsafeMutableBufferPointer {
              bases.unitRow(Int(id), kernels, $0.baseAddress!, into: row.baseAddress!)
            }
          }
          for j in 0..<d { word[j] += row[j] }
        }
        let norm = word.withUnsafeBufferPointer { length($0.baseAddress!, d) }
        guard norm > 0 else {
          throw .badInput("labels: \(text) of \(label.name) has no token with a basis")
        }
        for j in 0..<d { anchors[i * d + j] += word[j] / norm }
      }
    }
    try self.init(labels, d, sums: anchors, template: template)
  }

  private static func normalize(
    _ anchors: inout [Float], row: Int, _ d: Int, _ label: Label
  ) throws(VDSQError) {
    let norm = anchors.withUnsafeBufferPointer { length($0.baseAddress! + row * d, d) }
    guard norm > 1e-6, norm.isFinite else {
      throw .badInput("labels: the words of \(label.name) have no common direction")
    }
    for j in 0..<d { anchors[row * d + j] /= norm }
  }

  /// Anchors for a sentence encoder: the normalised mean of the model's own unit vectors of the
  /// words of a label. Each word is encoded inside the template. Without a template it is encoded
  /// alone and in two sentences, because a sentence is more like a text than a word is.
  ///
  /// - Throws: `usage` for an empty or ambiguous list, or a word that would be truncated;
  ///   `badInput` if the words of a label cancel out or the model fails.
  package init(
    _ labels: [Label], vectors encoder: TextEncoder, template: Template?
  ) throws(VDSQError) {
    let labels = try Label.checked(labels)
    let d = encoder.dimensions
    var anchors = [Float](repeating: 0, count: labels.count * d)
    let templates = template.map { $0.aroundTexts ? [Template.bare] : [$0] } ?? Template.usual
    var filled: [UInt8] = []
    /// The label of each text in the batch.
    var pending: [Int] = []
    func encodeBatch() throws(VDSQError) {
      try encoder.encode { index, vector in
        let scale = 1 / length(vector, d)
        for j in 0..<d { anchors[pending[index] * d + j] += vector[j] * scale }
      }
      pending.removeAll(keepingCapacity: true)
    }
    for (i, label) in labels.enumerated() {
      for word in label.words {
        let bytes = Array(word.utf8)
        for template in templates {
          if !encoder.hasRoom { try encodeBatch() }
          bytes.withUnsafeBytes { template.fill($0, into: &filled) }
          guard filled.withUnsafeBytes({ !encoder.add($0).truncated }) else {
            throw VDSQError(
              .usage,
              "the label \(label.name): \"\(String(decoding: filled, as: UTF8.self))\" does not fit "
                + "the \(encoder.maximumTokens) tokens of the longest sequence", .maximumTokens)
          }
          pending.append(i)
        }
      }
    }
    try encodeBatch()
    try self.init(labels, d, sums: anchors, template: template)
    (prompt, cutDimensions) = (encoder.options.prompt, encoder.options.dimensions)
  }
}

/// The Euclidean length of a vector.
package func length(_ x: UnsafePointer<Float>, _ count: Int) -> Float {
  var sum: Float = 0
  for i in 0..<count { sum += x[i] * x[i] }
  return sum.squareRoot()
}

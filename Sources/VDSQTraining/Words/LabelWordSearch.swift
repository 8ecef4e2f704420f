import Glibc
package import VDSQFormat
import VDSQInference
package import VDSQSemantics

/// Says a learned classifier in words: for each label, words of the vocabulary that make the
/// zero-shot classifier do what the examples teach (docs/few-shot.md, "A classifier in words").
///
/// Words are proposed by one half of the examples, and accepted by the other half's likelihood.
package struct LabelWordSearch {
  /// Labels with their words, and how well they classify.
  package struct Rule: Sendable {
    /// The labels, each with the words that were found, in the order in which they were accepted.
    package let labels: [Label]
    /// The number of examples that words were accepted by.
    package let heldOut: Int
    /// Accuracies on these: of the words, of the labels as they were given, and of the classifier
    /// that was trained on the other half.
    package let words, given, learned: Double
  }

  /// The number of words of the vocabulary that are tried for a label in each round.
  private static let candidates = 40
  private static let temperatures: [Float] = [0.02, 0.03, 0.05, 0.07, 0.1, 0.15]

  private let trainer: FewShotTrainer
  private let examples: Examples
  /// The number of columns of the model's vector.
  private let columns: Int
  private let proposing, accepting: [Int]

  /// - Parameters:
  ///   - trainer: of a sentence encoder.
  ///   - examples: encoded by it.
  /// - Throws: `usage` for a language model, fewer than two labels, a label for texts that belong
  ///   to no other, or a label of a single example.
  package init(_ trainer: FewShotTrainer, _ examples: Examples) throws(VDSQError) {
    guard trainer.encoder.kind == .sentences else {
      throw .usage("words are found for sentence encoders, which compare texts with words as texts")
    }
    guard trainer.anchors.outOfScope == nil else {
      throw .usage("no words say what belongs to no other label; leave it out", .outOfScope)
    }
    guard trainer.anchors.count > 1 else { throw .usage("words tell labels apart; there is one") }
    guard
      let halves = CrossValidation(
        targets: examples.targets, labels: trainer.anchors.count, folds: 2)
    else {
      throw .usage(
        "a label has a single example; one half proposes words, and the other accepts them")
    }
    self.trainer = trainer
    self.examples = examples
    columns = examples.features.layout.blockSize
    (proposing, accepting) = (halves.folds[0].training, halves.folds[0].heldOut)
  }

  /// Finds at most `count` words for each label.
  ///
  /// - Parameters:
  ///   - cache: a cache of the states of words; nil for none.
  ///   - advance: called with the share that is done.
  /// - Throws: what training and the model throw.
  package func rule(
    words count: Int, cache: StateCache?, advance: @escaping (Double) -> Void = { _ in }
  ) throws(VDSQError) -> Rule {
    let encoder = trainer.encoder
    let bases = try ExplanationBases(encoder: encoder, cache: cache) { advance(0.4 * $0) }
    let proposals = try proposals(bases)
    advance(0.5)
    // Words as the labels of a classifier, in the sentences that label words stand in.
    let words = Array(Set(proposals.joined())).sorted()
    let places = Dictionary(uniqueKeysWithValues: zip(words, words.indices))
    let vectors = try LabelSet(
      words.map { Label(name: $0) }, encoder: encoder, template: trainer.anchors.template
    ).prefix(columns)
    advance(0.7)
    var selection = WordSelection(
      cosines: cosines(vectors.anchors), gram: products(vectors.anchors, vectors.anchors),
      targets: examples.targets, labels: trainer.anchors.count, proposing: proposing,
      accepting: accepting, temperatures: Self.temperatures)
    for round in 0..<count {
      for label in 0..<trainer.anchors.count {
        selection.extend(label, by: proposals[label].map { places[$0]! }, isFirst: round == 0)
      }
      selection.chooseTemperature()
      advance(0.7 + 0.3 * Double(round + 1) / Double(count))
    }
    let labels = trainer.anchors.names.enumerated().map { label, name in
      Label(name: name, words: selection.words[label].map { words[$0] })
    }
    let found = try LabelSet(labels, encoder: encoder, template: trainer.anchors.template)
    let held = examples.subset(accepting)
    let learned = try Classifier(
      adapter: try trainer.train(on: examples.subset(proposing)), kernels: encoder.kernels)
    return Rule(
      labels: labels, heldOut: accepting.count,
      words: try accuracy(of: found, on: held), given: try accuracy(of: trainer.anchors, on: held),
      learned: Self.accuracy(of: learned, on: held))
  }

  /// For each label, the words whose vectors are closest to its discriminant, best first.
  private func proposals(_ bases: ExplanationBases) throws(VDSQError) -> [[String]] {
    let set = TrainingSet(
      examples.features.prefix(features: 0), targets: examples.targets,
      anchors: trainer.anchors.prefix(columns))
    let choice = Hyperparameters.Discriminant.withoutFolds(examples: proposing.count)
    let arithmetic = trainer.encoder.arithmetic
    let head = try GaussianClasses(
      set, proposing, priorCount: choice.priorCount, arithmetic
    ).linearHead(shrinkageCount: choice.shrinkageCount, arithmetic)
    let count = trainer.anchors.count
    let mean = (0..<columns).map { column in
      (0..<count).reduce(Float(0)) { $0 + head.weights[$1 * columns + column] } / Float(count)
    }
    return (0..<count).map { label in
      let direction = (0..<columns).map { head.weights[label * columns + $0] - mean[$0] }
      let cosines = bases.cosines(direction)
      var seen: Set<String> = []
      return bases.best(2 * Self.candidates, of: cosines).map { bases.token($0) }
        // Words of a list of labels are between commas.
        .filter { !$0.contains(",") && seen.insert($0).inserted }
        .prefix(Self.candidates).map { $0 }
    }
  }

  /// Products of unit vectors of the examples with other vectors: `[examples, vectors]`.
  private func cosines(_ vectors: [Float]) -> [Float] {
    var states = examples.features.prefix(features: 0).values
    for row in 0..<examples.targets.count {
      let own = row * columns..<(row + 1) * columns
      let norm = states[own].reduce(0) { $0 + $1 * $1 }.squareRoot()
      if norm > 0 { for i in own { states[i] /= norm } }
    }
    return products(states, vectors)
  }

  private func products(_ rows: [Float], _ vectors: [Float]) -> [Float] {
    let arithmetic = trainer.encoder.arithmetic
    let count = vectors.count / columns
    var products = [Float](repeating: 0, count: rows.count / columns * count)
    products.withUnsafeMutableBufferPointer {
      arithmetic.multiply(
        rows, rows: rows.count / columns,
        arithmetic.packed(vectors, rows: count, columns: columns), $0.baseAddress!)
    }
    return products
  }

  private func accuracy(of labels: LabelSet, on held: Examples) throws(VDSQError) -> Double {
    Self.accuracy(
      of: try Classifier(labels: labels.prefix(columns), kernels: trainer.encoder.kernels),
      on: held)
  }

  private static func accuracy(of classifier: Classifier, on held: Examples) -> Double {
    Evaluation(of: classifier, features: held.features, targets: held.targets).accuracy
  }
}

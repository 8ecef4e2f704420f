import VDSQFormat
import VDSQInference
import VDSQSemantics

/// A classifier with its lane and its working memory. Only the thread of the engine uses it.
final class ServedClassifier {
  /// The name in metrics: of an adapter, or of the model for its own head; nil for labels of a
  /// request.
  let name: String?
  let lane: Lane
  let classifier: Classifier
  let adapter: Adapter?
  let states: TextStates
  var template: TextTemplate
  private var scores: LabelScores

  init(
    _ classifier: Classifier, lane: Lane, name: String?, adapter: Adapter? = nil
  ) throws(VDSQError) {
    (self.classifier, self.lane, self.name, self.adapter) = (classifier, lane, name, adapter)
    states = try TextStates(classifier.labels, encoder: lane.encoder)
    template = try TextTemplate(classifier.labels.template, encoder: lane.encoder)
    scores = classifier.makeScores()
  }

  /// Whether texts of other classifiers can be in the same pass. What a language model says about
  /// label words of several tokens is computed for all texts of a pass.
  var sharesPasses: Bool { lane.encoder.kind == .sentences }

  /// The number of sequences that a text becomes.
  var sequencesPerText: Int { classifier.entailment?.hypotheses.count ?? 1 }

  func logit(_ state: UnsafePointer<Float>) -> Float { classifier.logit(state, &scores) }

  /// The answer for a state.
  func scores(
    _ state: UnsafePointer<Float>, words: UnsafePointer<Float>?, isBlank: Bool, top: Int
  ) -> Outcome.Scores {
    if isBlank {
      scores.setEqual(isChoice: classifier.isChoice)
    } else {
      classifier.classify(state, words: words, top: rank(top), into: &scores)
    }
    return answer(isBlank: isBlank, top: top)
  }

  /// The answer for the logits of a text's hypotheses.
  func scores(logits: [Float], isBlank: Bool, top: Int) -> Outcome.Scores {
    if isBlank {
      scores.setEqual(isChoice: classifier.isChoice)
    } else {
      classifier.classify(logits: logits[...], top: rank(top), into: &scores)
    }
    return answer(isBlank: isBlank, top: top)
  }

  /// With thresholds, all labels are ranked, because any of them may be given.
  private func rank(_ top: Int) -> Int {
    classifier.thresholds == nil ? min(top, classifier.labels.count) : classifier.labels.count
  }

  private func answer(isBlank: Bool, top: Int) -> Outcome.Scores {
    let names = classifier.labels.names
    var answer = Outcome.Scores()
    for label in scores.ranking.prefix(max(1, top)) {
      answer.candidates.append(
        Outcome.Candidate(
          label: names[label], probability: scores.probabilities[label],
          score: scores.cosines[label]))
    }
    if let thresholds = classifier.thresholds {
      answer.given = scores.ranking.filter {
        !isBlank && scores.probabilities[$0] >= thresholds[$0]
      }.map { names[$0] }
    }
    return answer
  }
}

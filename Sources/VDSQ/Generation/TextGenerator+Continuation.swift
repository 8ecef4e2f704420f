import VDSQFormat
import VDSQInference
import VDSQSemantics
import VDSQTokenizers

extension TextGenerator {
  /// A text that grows behind a prompt, one token at a time.
  package final class Continuation {
    /// The text so far, and why it ends.
    package private(set) var result = GeneratedText()
    /// Whether it has ended.
    package private(set) var isComplete = false
    /// Why it could not go on; nil if it could.
    package private(set) var failure: VDSQError?
    let sampler: TokenSampler
    let walk: ConstraintWalk?
    /// Whether other texts use the walk afterwards.
    var sharesWalk = false
    /// Where its keys and values are kept.
    let place: Int
    private let generator: TextGenerator
    private let encoder: TextEncoder
    private let options: GenerationOptions
    private let room: Int
    private var text: GrowingText
    private var shown = 0

    init(
      _ generator: TextGenerator, _ encoder: TextEncoder, _ options: GenerationOptions,
      _ sampler: TokenSampler, _ walk: ConstraintWalk?, place: Int, prompt ids: [Int32],
      number: UInt64
    ) {
      (self.generator, self.encoder, self.options) = (generator, encoder, options)
      (self.sampler, self.walk, self.place) = (sampler, walk, place)
      text = GrowingText(stops: options.stops.map { Array($0.utf8) })
      room = min(options.maximumTokens, generator.maximumTokens - ids.count)
      result.promptTokens = ids.count
      sampler.begin(stream: number)
      for id in ids { sampler.note(id) }
      walk?.begin()
    }

    /// Whether each token is the likeliest one as the model gives it.
    var isPlain: Bool { options.sampling.isPlain && walk == nil }

    /// The last token, which the model has not read yet.
    var next: Int32 { result.ids.last ?? 0 }

    /// Adds a token.
    ///
    /// - Parameter logProbability: of the token, by the model.
    func add(_ token: Int32, _ logProbability: Double) throws(VDSQError) {
      result.ids.append(token)
      result.logProbability += logProbability
      guard !generator.ends.contains(token) else { return finish(.end) }
      sampler.note(token)
      guard !append(token) else { return finish(.stop) }
      try walk?.advance(token)
      if let walk, walk.isComplete, !walk.canGoOn || generator.ends.isEmpty {
        finish(.complete)
      } else if result.tokens == room {
        finish(.length)
      }
    }

    /// Appends a token to the text, which has no tokens that control the model.
    ///
    /// - Returns: whether the text ends before it: at one of the stops, which may be such a token.
    private func append(_ token: Int32) -> Bool {
      let piece = encoder.token(token)
      guard generator.controls.contains(token) else { return text.append(piece) }
      return options.stops.contains { $0.utf8.elementsEqual(piece) }
    }

    private func finish(_ finish: GeneratedText.Finish) {
      text.finish()
      (result.finish, result.bytes, isComplete) = (finish, text.bytes, true)
    }

    /// Ends the text, which cannot go on.
    func fail(_ error: VDSQError) {
      failure = error
      end()
    }

    /// Ends the text where it is, because the caller wants no more.
    package func end() {
      if !isComplete { finish(.length) }
    }

    /// What of the text can be shown since the last call: whole characters, and at the end the
    /// rest.
    package func newPart() -> ArraySlice<UInt8> {
      defer { shown = text.settled }
      return text.bytes[min(shown, text.settled)..<text.settled]
    }
  }
}

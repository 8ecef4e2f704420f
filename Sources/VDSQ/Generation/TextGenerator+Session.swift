import CShims
package import VDSQFormat
import VDSQInference
import VDSQSemantics
import VDSQTokenizers

extension TextGenerator {
  /// The working memory of one caller, for one prompt after another.
  package final class Session {
    private let generator: TextGenerator
    private let encoder: TextEncoder
    private let options: GenerationOptions
    private let head: VocabularyLogits
    private let logits: UnsafeMutablePointer<Float>
    private let sampler: TokenSampler
    private let walk: ConstraintWalk?
    private var ids: [Int32] = []
    private var texts: UInt64 = 0

    /// - Throws: `usage` for options out of range.
    package init(_ generator: TextGenerator, options: GenerationOptions) throws(VDSQError) {
      guard options.maximumTokens >= 1 else {
        throw .usage(
          "\(counted(options.maximumTokens, "token")) to generate: from 1 up are possible")
      }
      for stop in options.stops where stop.utf8.isEmpty {
        throw .usage("an empty text ends every text")
      }
      self.generator = generator
      self.options = options
      encoder = try generator.pool.take()
      do throws(VDSQError) {
        let rows = try VocabularyRows(head: encoder.container)
        sampler = try TokenSampler(options.sampling, count: rows.count)
        let tokenizer = encoder.tokenizer
        walk = try options.constraint.map { (constraint) throws(VDSQError) in
          try ConstraintWalk(constraint, tokenizer, ends: generator.ends)
        }
        head = VocabularyLogits(rows: rows, encoder: encoder, capacity: 1)
      } catch {
        generator.pool.give(encoder)
        throw error
      }
      logits = .allocate(capacity: head.rows.count)
    }

    deinit { logits.deallocate() }

    /// Returns the encoder. The session must not be used afterwards.
    package func end() { generator.pool.give(encoder) }

    /// The maximum number of tokens of a prompt and of what is generated.
    package var maximumTokens: Int { generator.maximumTokens }

    /// Generates text behind a prompt in UTF-8. Texts of a session with the same prompt differ, as
    /// their random numbers do.
    ///
    /// - Parameters:
    ///   - isChat: whether the prompt is a chat, which has all special tokens already.
    ///   - show: called with each new part of the text; nothing more is generated if it returns
    ///     false.
    /// - Throws: as `TextGenerator.generate`; what `show` throws.
    package func generate(
      _ prompt: UnsafeRawBufferPointer, isChat: Bool = false,
      show: (ArraySlice<UInt8>) throws(VDSQError) -> Bool
    ) throws(VDSQError) -> GeneratedText {
      encoder.ids(of: prompt, behind: isChat ? [] : generator.beginning, into: &ids)
      if ids.isEmpty, let first = generator.first { ids.append(first) }
      guard !ids.isEmpty else {
        throw .badInput("an empty prompt, and the file does not say with which token texts begin")
      }
      guard ids.count < maximumTokens else {
        throw .badInput(
          "a prompt of \(counted(ids.count, "token")) leaves no room in \(maximumTokens)")
      }
      sampler.begin(stream: texts)
      texts += 1
      for id in ids { sampler.note(id) }
      var result = GeneratedText()
      result.promptTokens = ids.count
      var text = GrowingText(stops: options.stops.map { Array($0.utf8) })
      var shown = 0, wantsMore = true
      let room = min(options.maximumTokens, maximumTokens - ids.count)
      walk?.begin()
      encoder.beginText()
      var state = try encoder.read(ids[...])
      while true {
        let next = try choose(state, &result)
        result.ids.append(next)
        if generator.ends.contains(next) {
          result.finish = .end
          break
        }
        sampler.note(next)
        let isStopped = text.append(encoder.token(next))
        if isStopped { result.finish = .stop }
        if text.settled > shown {
          wantsMore = try show(text.bytes[shown..<text.settled])
          shown = text.settled
          if !wantsMore { break }
        }
        if isStopped { break }
        try walk?.advance(next)
        if let walk, walk.isComplete, !walk.canGoOn || generator.ends.isEmpty {
          result.finish = .complete
          break
        }
        if result.tokens == room { break }
        ids.append(next)
        state = try encoder.read(ids.suffix(1))
      }
      text.finish()
      if wantsMore, text.bytes.count > shown { _ = try show(text.bytes[shown...]) }
      result.bytes = text.bytes
      return result
    }

    /// The token that follows a state.
    private func choose(
      _ state: UnsafePointer<Float>, _ result: inout GeneratedText
    ) throws(VDSQError) -> Int32 {
      var likeliest: VocabularyLogits.Result?
      let isPlain = options.sampling.isPlain && walk == nil
      head.find(state, count: 1, temperature: 1, scores: isPlain ? nil : logits) {
        likeliest = $1
      }
      // Numbers that are none are no token's logit.
      guard let best = likeliest, best.value.isFinite, best.probability > 0 else {
        throw .badInput(
          "\(generator.path): the head makes numbers that are not finite; verify the file")
      }
      let logTotal = best.value - vdsq_logf(best.probability)
      var value = best.value
      var next = best.id
      if !isPlain {
        // The logits are changed, and that of the choice is wanted.
        try walk?.mask(logits, count: head.rows.count, ends: generator.ends)
        guard let choice = sampler.choose(logits) else {
          throw .badInput("no token continues the text as it must be")
        }
        next = choice
        value = head.logit(state, Int(next))
      }
      result.logProbability += Double(min(0, value - logTotal))
      return next
    }
  }
}

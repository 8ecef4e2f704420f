import CShims
package import VDSQFormat
import VDSQInference
import VDSQSemantics
import VDSQTokenizers

extension TextGenerator {
  /// The working memory of one caller, for one prompt after another, or for several that grow
  /// together: each step reads a token of each of them, and weights are read from memory once.
  package final class Session {
    private let generator: TextGenerator
    private let encoder: TextEncoder
    private let options: GenerationOptions
    private let head: VocabularyLogits
    /// The logits of each text that grows.
    private let logits: UnsafeMutablePointer<Float>
    /// The constraint walks of texts with the session's own options that no text is using.
    private var walks: [ConstraintWalk]
    /// The texts that grow, by their places.
    private var growing: [Continuation?]
    private var ids: [Int32] = []
    private var texts: UInt64 = 0
    /// Whether the keys and values of tokens that a prompt shares with the text before in its place
    /// are used again.
    package var reusesPrompts = false

    /// - Parameter options: those of texts that have no others.
    /// - Throws: `usage` for options out of range.
    package init(_ generator: TextGenerator, options: GenerationOptions) throws(VDSQError) {
      try Self.check(options)
      self.generator = generator
      self.options = options
      encoder = try generator.pool.take()
      growing = Array(repeating: nil, count: encoder.options.keptTexts)
      do throws(VDSQError) {
        let rows = try VocabularyRows(head: encoder.container)
        _ = try TokenSampler(options.sampling, count: rows.count)
        walks = try Self.walk(options, encoder, generator).map { [$0] } ?? []
        head = VocabularyLogits(rows: rows, encoder: encoder, capacity: 1)
      } catch {
        generator.pool.give(encoder)
        throw error
      }
      logits = .allocate(capacity: growing.count * head.rows.count)
    }

    deinit { logits.deallocate() }

    private static func check(_ options: GenerationOptions) throws(VDSQError) {
      guard options.maximumTokens >= 1 else {
        throw .usage(
          "\(counted(options.maximumTokens, "token")) to generate: from 1 up are possible")
      }
      for stop in options.stops where stop.utf8.isEmpty {
        throw .usage("an empty text ends every text")
      }
    }

    private static func walk(
      _ options: GenerationOptions, _ encoder: TextEncoder, _ generator: TextGenerator
    ) throws(VDSQError) -> ConstraintWalk? {
      try options.constraint.map { (constraint) throws(VDSQError) in
        try ConstraintWalk(constraint, encoder.tokenizer, ends: generator.ends)
      }
    }

    /// Returns the encoder. The session must not be used afterwards.
    package func end() { generator.pool.give(encoder) }

    /// The maximum number of tokens of a prompt and of what is generated.
    package var maximumTokens: Int { generator.maximumTokens }

    // MARK: One text

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
      let text = try begin(prompt, isChat: isChat)
      defer { remove(text) }
      while true {
        let part = text.newPart()
        if !part.isEmpty, try !show(part) { text.end() }
        if let failure = text.failure { throw failure }
        guard !text.isComplete else { return text.result }
        try step()
      }
    }

    // MARK: Several texts

    /// Whether another text can begin.
    package var hasRoom: Bool { growing.contains { $0 == nil } }

    /// Begins a text, which the session must have room for: reads its prompt, and chooses the first
    /// token.
    ///
    /// - Parameters:
    ///   - options: nil for the session's own.
    ///   - number: of the text, so that texts with one seed differ; nil to count them.
    /// - Throws: as `generate`.
    package func begin(
      _ prompt: UnsafeRawBufferPointer, isChat: Bool, options own: GenerationOptions? = nil,
      number: UInt64? = nil
    ) throws(VDSQError) -> Continuation {
      let options = own ?? self.options
      try Self.check(options)
      guard let place = growing.firstIndex(where: { $0 == nil }) else {
        throw VDSQError(.internalFault, "no more texts can be generated together")
      }
      encoder.ids(of: prompt, behind: isChat ? [] : generator.beginning, into: &ids)
      if ids.isEmpty, let first = generator.first { ids.append(first) }
      guard !ids.isEmpty else {
        throw .badInput("an empty prompt, and the file does not say with which token texts begin")
      }
      guard ids.count < maximumTokens else {
        throw .badInput(
          "a prompt of \(counted(ids.count, "token")) leaves no room in \(maximumTokens)")
      }
      let sampler = try TokenSampler(options.sampling, count: head.rows.count)
      var walk = own == nil ? walks.popLast() : nil
      if walk == nil { walk = try Self.walk(options, encoder, generator) }
      let text = Continuation(
        generator, encoder, options, sampler, walk, place: place, prompt: ids,
        number: number ?? texts)
      text.sharesWalk = own == nil
      if number == nil { texts += 1 }
      growing[place] = text
      do throws(VDSQError) {
        choose(try readPrompt(place), for: [text])
        if let failure = text.failure { throw failure }
      } catch {
        remove(text)
        throw error
      }
      return text
    }

    /// Adds a token to each text that has not ended.
    ///
    /// - Throws: `badInput` if the model's weights cannot be read. A text that cannot go on as it
    ///   must ends with a failure of its own.
    package func step() throws(VDSQError) {
      let texts = growing.compactMap { $0 }.filter { !$0.isComplete }
      guard !texts.isEmpty else { return }
      let states: UnsafePointer<Float>
      do throws(VDSQError) {
        states = try encoder.read(texts.map { (place: $0.place, id: $0.next) })
      } catch {
        for place in growing.indices { encoder.beginText(inPlace: place) }
        throw error
      }
      choose(states, for: texts)
    }

    /// Makes room for another text.
    package func remove(_ text: Continuation) {
      growing[text.place] = nil
      if text.sharesWalk, let walk = text.walk { walks.append(walk) }
    }

    /// Chooses the token that follows each state. A text that cannot go on fails; the others go on.
    private func choose(_ states: UnsafePointer<Float>, for texts: [Continuation]) {
      var likeliest = [VocabularyLogits.Result?](repeating: nil, count: texts.count)
      head.find(
        states, count: texts.count, temperature: 1,
        scores: texts.allSatisfy { $0.isPlain } ? nil : logits
      ) { likeliest[$0] = $1 }
      for (index, text) in texts.enumerated() {
        // NaN and infinity are no logits.
        guard let best = likeliest[index], best.value.isFinite, best.probability > 0 else {
          text.fail(
            .badInput(
              "\(generator.path): the head makes numbers that are not finite; verify the file"))
          continue
        }
        do throws(VDSQError) {
          try choose(
            best, states + index * encoder.dimensions, logits + index * head.rows.count, for: text)
        } catch { text.fail(error) }
      }
    }

    /// - Parameters:
    ///   - best: the likeliest token.
    ///   - logits: those of all tokens, unless the text is plain. They are changed.
    private func choose(
      _ best: VocabularyLogits.Result, _ state: UnsafePointer<Float>,
      _ logits: UnsafeMutablePointer<Float>, for text: Continuation
    ) throws(VDSQError) {
      let logTotal = best.value - vdsq_logf(best.probability)
      var next = best.id
      var value = best.value
      if !text.isPlain {
        try text.walk?.mask(logits, count: head.rows.count, ends: generator.ends)
        guard let choice = text.sampler.choose(logits) else {
          throw .badInput("no token continues the text as it must be")
        }
        next = choice
        value = head.logit(state, Int(next))
      }
      try text.add(next, Double(min(0, value - logTotal)))
    }

    // MARK: Prompts

    /// Uses keys and values of a prompt that `promptCache` gave, for prompts that begin alike.
    ///
    /// - Parameter path: the file's, for messages.
    /// - Throws: `badInput` if they are damaged, of another model, or of other options.
    package func use(
      promptCache file: UnsafeRawBufferPointer, path: String
    ) throws(VDSQError) {
      try PromptCache.restore(file, path: path, into: encoder, place: 0)
      reusesPrompts = true
    }

    /// Calls `body` with the parts of a file of the last prompt's keys and values.
    ///
    /// - Parameter tokens: the number of tokens of the prompt.
    /// - Throws: what `body` throws.
    package func promptCache(
      tokens: Int, _ body: (UnsafeRawBufferPointer) throws(VDSQError) -> Void
    ) throws(VDSQError) {
      try PromptCache.write(encoder, place: 0, tokens: tokens, body)
    }

    /// Reads a prompt, but for the tokens that it shares with the one before if these are kept. The
    /// last token is always read, because its state is needed.
    private func readPrompt(_ place: Int) throws(VDSQError) -> UnsafePointer<Float> {
      var kept = 0
      if reusesPrompts {
        let known = encoder.continuedIDs(inPlace: place)
        while kept < min(known.count, ids.count - 1), known[kept] == ids[kept] { kept += 1 }
      }
      encoder.beginText(inPlace: place, keeping: kept)
      do throws(VDSQError) {
        return try encoder.read(ids[kept...], inPlace: place)
      } catch {
        // What could not be read is not used again.
        encoder.beginText(inPlace: place)
        throw error
      }
    }
  }
}

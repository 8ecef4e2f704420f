package import VDSQFormat
import VDSQInference
import VDSQSemantics

extension TextScorer {
  /// The working memory of one caller. Texts wait until a batch of them is read.
  package final class Session {
    /// Tokens of a batch whose states predict others.
    private struct Window {
      /// The text.
      let text: Int
      /// The rows of the batch.
      let rows: Range<Int>
    }

    private let scorer: TextScorer
    private let encoder: TextEncoder
    private let head: VocabularyLogits
    private let keepsTokens: Bool
    private let states: UnsafeMutablePointer<Float>
    private var batch = TokenBatch()
    private var windows: [Window] = []
    /// For each row of the batch, the token that its state predicts.
    private var targets: [Int32] = []
    private var results: [TextScore] = []
    private var ids: [Int32] = []
    private var pair = ContinuationTokens()

    package init(_ scorer: TextScorer, keepsTokens: Bool = false) throws(VDSQError) {
      self.scorer = scorer
      self.keepsTokens = keepsTokens
      encoder = try scorer.pool.take()
      do throws(VDSQError) {
        head = VocabularyLogits(
          rows: try VocabularyRows(head: encoder.container), encoder: encoder, capacity: 1)
      } catch {
        scorer.pool.give(encoder)
        throw error
      }
      states = .allocate(capacity: encoder.batchCapacity.tokens * encoder.hiddenSize)
    }

    deinit { states.deallocate() }

    /// Returns the encoder. The session must not be used afterwards.
    package func end() { scorer.pool.give(encoder) }

    /// Whether more texts can wait.
    package var hasRoom: Bool {
      batch.ids.count + scorer.maximumTokens <= encoder.batchCapacity.tokens
        && batch.sequences < encoder.batchCapacity.sequences
    }

    /// The number of texts whose scores are due.
    package var count: Int { results.count }

    /// Adds a whole text.
    ///
    /// - Throws: as `TextScorer.score`.
    package func add(_ text: UnsafeRawBufferPointer) throws(VDSQError) {
      encoder.ids(of: text, behind: [], into: &ids)
      guard let beginning = scorer.beginning else {
        throw .badInput(
          "\(scorer.path): the file does not say with which token texts begin; convert the "
            + "checkpoint again")
      }
      results.append(TextScore())
      // A text that begins with the token already is not predicted from a second one.
      let skipped = ids.first == beginning ? 1 : 0
      var done = skipped
      while done < ids.count {
        let end = min(ids.count, done + scorer.maximumTokens)
        // The last window has as many tokens as a pass, those of the window before among them.
        let start = done == skipped ? done : max(skipped, end - scorer.maximumTokens)
        try add(
          context: start == 0 ? [beginning] : ids[start - 1..<start], ids[start..<end],
          predicted: end - done)
        done = end
      }
    }

    /// Adds a text behind another one.
    ///
    /// - Throws: as `TextScorer.score`.
    package func add(
      _ continuation: UnsafeRawBufferPointer, after context: UnsafeRawBufferPointer
    ) throws(VDSQError) {
      let own = try pair.read(continuation, after: context, encoder, beginning: scorer.beginning)
      guard own.count <= scorer.maximumTokens else {
        throw .badInput(
          "a continuation of \(own.count) tokens is longer than \(scorer.maximumTokens)")
      }
      let room = scorer.maximumTokens + 1 - own.count
      var result = TextScore()
      result.isContextCut = pair.context.count > room
      results.append(result)
      try add(context: pair.context.suffix(room), own, predicted: own.count)
    }

    /// Adds tokens to the batch.
    ///
    /// - Parameter predicted: the number of last tokens of `own` that are predicted.
    private func add(
      context: ArraySlice<Int32>, _ own: ArraySlice<Int32>, predicted: Int
    ) throws(VDSQError) {
      let count = context.count + own.count - 1
      let capacity = encoder.batchCapacity
      if batch.ids.count + count > capacity.tokens || batch.sequences == capacity.sequences {
        try flush()
      }
      batch.ids.append(contentsOf: context)
      batch.ids.append(contentsOf: own.dropLast())
      batch.endSequence()
      targets.append(contentsOf: context.dropFirst())
      targets.append(contentsOf: own)
      windows.append(
        Window(
          text: results.count - 1, rows: batch.ids.count - predicted..<batch.ids.count))
    }

    /// Reads the batch, and adds what it predicts to the results.
    private func flush() throws(VDSQError) {
      guard batch.sequences > 0 else { return }
      defer {
        batch.removeAll()
        windows.removeAll(keepingCapacity: true)
        targets.removeAll(keepingCapacity: true)
      }
      try encoder.tokenStates(of: batch, into: states)
      // States that predict a token become adjacent, so that one scan of the head serves many.
      let d = encoder.hiddenSize
      var texts: [Int] = [], predicted: [Int32] = []
      for window in windows {
        (states + texts.count * d).update(
          from: states + window.rows.lowerBound * d, count: window.rows.count * d)
        texts.append(contentsOf: repeatElement(window.text, count: window.rows.count))
        predicted.append(contentsOf: targets[window.rows])
      }
      head.score(states, count: texts.count, ids: predicted[...]) {
        index, logProbability, isLikeliest in
        let text = texts[index]
        results[text].count += 1
        results[text].logProbability += logProbability
        if !isLikeliest { results[text].isGreedy = false }
        if keepsTokens {
          results[text].tokens.append(
            TextScore.Token(id: predicted[index], logProbability: logProbability))
        }
      }
    }

    /// Calls `body` with the score of each text since the last call, in order.
    ///
    /// - Throws: `badInput` if the file cannot be read; what `body` throws.
    package func scores(
      _ body: (_ index: Int, _ score: TextScore) throws(VDSQError) -> Void
    ) throws(VDSQError) {
      defer { results.removeAll(keepingCapacity: true) }
      try flush()
      for index in results.indices {
        guard results[index].logProbability.isFinite else {
          throw .badInput(
            "\(scorer.path): the head makes numbers that are not finite; verify the file")
        }
        try body(index, results[index])
      }
    }

    /// The text of a token; it may be a part of a UTF-8 sequence.
    package func text(of id: Int32) -> [UInt8] { encoder.token(id) }
  }
}

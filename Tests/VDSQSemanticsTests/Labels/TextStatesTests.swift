import TestSupport
import Testing
import VDSQConversion
import VDSQFormat
import VDSQInference
import VDSQSemantics
import VDSQTokenizers

/// Log-probabilities of label words of several tokens, against transformers
/// (Tools/reference/make_continuations.py).
@Suite struct TextStatesTests {
  private struct Golden: Decodable {
    struct Text: Decodable {
      let text: String
      let scores: [[Float]]
    }
    let paths: [[Int32]]
    let models: [String: [Text]]
  }

  private func encoder(
    _ name: String, _ folder: TemporaryFolder, threads: Int, _ size: TokenTree.Size,
    maximumTokens: Int? = nil
  ) throws -> TextEncoder {
    _ = try Converter(folder: Fixtures.path("language-models/\(name)"), weights: .fp32).write(
      to: folder.path("m.vdsq"), replace: true, progress: Progress(total: 1) { _ in })
    var options = TextEncoder.Options()
    options.threads = threads
    options.continuations = size
    options.batch = 3
    options.maximumTokens = maximumTokens
    return try TextEncoder(path: folder.path("m.vdsq"), options: options)
  }

  /// Paths share their first tokens, and several texts of a batch do not see each other; with
  /// learned and rotary positions, grouped keys, and a window of 5 tokens (mistral).
  @Test(arguments: ["gpt2", "llama", "mistral", "qwen3", "gpt-neox"], [1, 3])
  func wordsHaveTheReferencesProbabilities(_ name: String, _ threads: Int) throws {
    let folder = try TemporaryFolder()
    let golden = try Fixtures.json("language-models/continuations.json", as: Golden.self)
    let words = WordContinuations(golden.paths)!
    let encoder = try encoder(name, folder, threads: threads, words.tree.size)
    let states = try TextStates(.continued(words), encoder: encoder)
    let texts = golden.models[name]!
    for text in texts { Array(text.text.utf8).withUnsafeBytes { _ = encoder.add($0) } }
    var count = 0
    try states.encode { index, _, found in
      for (word, scores) in texts[index].scores.enumerated() {
        let expected = scores.dropFirst().reduce(0, +)
        #expect(
          (found![word] - expected).magnitude < 2e-3 * max(1, expected.magnitude),
          "\(texts[index].text) \(golden.paths[word])")
      }
      count += 1
    }
    #expect(count == texts.count && encoder.count == 0)
  }

  /// Words of several tokens fill as many masks, one text after the other in small batches. What is
  /// given for a word of one token makes a log-probability of its logit.
  @Test(arguments: ["bert", "electra", "roberta"], [nil, 30])
  func masksHaveTheReferencesProbabilities(_ name: String, _ maximumTokens: Int?) throws {
    let folder = try TemporaryFolder()
    let golden = try Fixtures.json("language-models/continuations.json", as: Golden.self)
    let words = LongWords([[45]] + golden.paths, .masked)!
    let encoder = try encoder(
      name, folder, threads: 2, words.size, maximumTokens: maximumTokens)
    let states = try TextStates(words, encoder: encoder)
    let head = VocabularyLogits(
      rows: try VocabularyRows(head: encoder), encoder: encoder, capacity: 1)
    let texts = golden.models[name]!
    for text in texts { Array(text.text.utf8).withUnsafeBytes { _ = encoder.add($0) } }
    var count = 0
    try states.encode { index, state, found in
      for (word, scores) in texts[index].scores.enumerated() {
        let own = scores.count == 1 ? head.logit(state, 45) : 0
        let expected = scores.reduce(0, +)
        #expect(
          (own + found![word] - expected).magnitude < 2e-3 * max(1, expected.magnitude),
          "\(texts[index].text) \(word)")
      }
      count += 1
    }
    #expect(count == texts.count && encoder.count == 0)
  }

  @Test func pathsShareTheirFirstTokens() throws {
    var tree = TokenTree()
    #expect(tree.insert([7, 8]) == [0, 1])
    #expect(tree.insert([7, 8, 9]) == [0, 1, 2])
    #expect(tree.insert([8, 9]) == [3, 4])
    #expect(tree.insert([Int32]()).isEmpty)
    #expect(tree.nodes.count == 5 && tree.size.nodes == 5 && tree.size.depth == 3)
    #expect(tree.nodes[2].id == 9 && tree.nodes[2].parent == 1)
    #expect(WordContinuations([[1], [2]]) == nil)
    var larger = tree
    larger.insert([1, 2, 3, 4])
    #expect(larger.size.holds(tree.size) && !tree.size.holds(larger.size))
  }

  /// Texts leave positions for the words; a word longer than the positions is refused.
  @Test func textsLeaveRoomForWords() throws {
    let folder = try TemporaryFolder()
    var tree = TokenTree()
    tree.insert([40, 41, 42])
    let longest = try encoder("gpt2", folder, threads: 1, TokenTree.Size()).maximumTokens
    let encoder = try encoder("gpt2", folder, threads: 1, tree.size)
    #expect(encoder.maximumTokens == longest - 3)
    Array(String(repeating: "hello ", count: 200).utf8).withUnsafeBytes { _ = encoder.add($0) }
    try encoder.encode(continuing: tree) { _, _, nodes in
      #expect((0..<3 * encoder.dimensions).allSatisfy { nodes[$0].isFinite })
    }
    tree.insert(Array(repeating: 1, count: longest))
    #expect {
      _ = try self.encoder("gpt2", folder, threads: 1, tree.size)
    } throws: {
      ($0 as? VDSQError)?.category == .usage
    }
  }

  /// With memory for them, words of several tokens are scored as they are written; without, by the
  /// mean of their rows.
  @Test func labelsContinueWhereMemoryIsPlanned() throws {
    let folder = try TemporaryFolder()
    let labels = [Label(name: "a", words: ["capital"]), Label(name: "b", words: ["was great"])]
    let plain = try encoder("llama", folder, threads: 1, TokenTree.Size())
    #expect(
      try LabelSet(labels, encoder: plain, template: nil).wordHead?.longWords == nil)
    let words = try LabelWordsHead.tokens(of: labels, plain.tokenizer.count, plain.tokenizer)
    let size = WordContinuations(words)!.tree.size
    let encoder = try encoder("llama", folder, threads: 1, size)
    let set = try LabelSet(labels, encoder: encoder, template: try Template("{text} is"))
    let head = set.wordHead!
    #expect(head.longWords != nil)
    // The text without a text has the logits that are subtracted: three quarters of its own.
    let states = try TextStates(set, encoder: encoder)
    let unshifted = try LabelWordsHead(
      labels, head: VocabularyRows(head: encoder), tokenizer: encoder.tokenizer,
      kernels: encoder.kernels, runs: .causal)
    Array(" is".utf8).withUnsafeBytes { _ = encoder.add($0) }
    try states.encode { _, state, found in
      var scratch = [Float](repeating: 0, count: head.scratchCount)
      var logits = [Float](repeating: 0, count: 2)
      var raw = logits
      head.logits(state, words: found, encoder.kernels, scratch: &scratch, into: &logits)
      unshifted.logits(state, words: found, encoder.kernels, scratch: &scratch, into: &raw)
      for i in 0..<2 { #expect((logits[i] - 0.25 * raw[i]).magnitude < 1e-3) }
    }
  }
}

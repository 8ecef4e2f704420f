import Foundation
import TestSupport
import Testing
import VDSQ
import VDSQConversion

/// Greedy continuations against transformers (Tools/reference/make_generation.py).
@Suite struct TextGeneratorTests {
  private struct Golden: Decodable {
    struct Text: Decodable {
      let model: String
      let prompt: String
      let penalty: Float
      let ids: [Int32]
      let margin: Double
      let ends: Bool
    }

    let texts: [Text]

    static let all = try! JSONDecoder().decode(
      Golden.self, from: Fixtures.data("generation.json")
    ).texts
  }

  private static let names = Array(Set(Golden.all.map(\.model))).sorted()

  private func model(_ name: String, in folder: TemporaryFolder) throws -> Model {
    let path = folder.path("\(name).vdsq")
    _ = try Converter(folder: Fixtures.path("language-models/\(name)"), weights: .fp32).write(
      to: path, replace: false, progress: Progress(total: 1) { _ in })
    return try Model(path: path)
  }

  @Test(arguments: names) func greedyTextsAreTheReferences(_ name: String) throws {
    let folder = try TemporaryFolder()
    let model = try model(name, in: folder)
    for (threads, policy) in [(1, nil), (2, MemoryPolicy.stream)] {
      var run = RunOptions()
      (run.threads, run.memoryPolicy, run.maximumTokens) = (threads, policy, 64)
      let generator = try TextGenerator(model: model, options: run)
      // Where two logits nearly agree, rounding may decide otherwise.
      for golden in Golden.all where golden.model == name && golden.margin > 0.004 {
        var options = GenerationOptions()
        options.maximumTokens = 24
        options.sampling.repetitionPenalty = golden.penalty
        let result = try generator.generate(golden.prompt, options: options)
        #expect(result.ids == golden.ids, "\(golden.prompt), \(golden.penalty)")
        #expect(result.finish == (golden.ends ? .end : .length))
        #expect(result.logProbability < 0)
      }
    }
  }

  /// The score of a generated text is that of `TextScorer`.
  @Test func logProbabilitiesAreTheScorers() throws {
    let folder = try TemporaryFolder()
    let model = try model("gpt2", in: folder)
    let generator = try TextGenerator(model: model)
    var options = GenerationOptions()
    (options.maximumTokens, options.sampling.temperature) = (1, 1.5)
    for seed in 0..<8 as Range<UInt64> {
      options.sampling.seed = seed
      let result = try generator.generate("hello world", options: options)
      guard result.finish == .length, let text = String(validating: result.bytes, as: UTF8.self)
      else { continue }
      let score = try TextScorer(model: model).score(text, after: "hello world")
      guard score.count == 1 else { continue }
      #expect(abs(score.logProbability - result.logProbability) < 1e-3)
    }
  }

  @Test func textsEndAtStops() throws {
    let folder = try TemporaryFolder()
    let generator = try TextGenerator(model: try model("qwen2", in: folder))
    var options = GenerationOptions()
    options.maximumTokens = 24
    let whole = try generator.generate("hello world", options: options)
    #expect(whole.finish == .length && whole.tokens == 24)
    // Stops of a part of a token, or of several.
    var tried = 0
    for start in 2..<whole.bytes.count - 4 where tried < 6 {
      let bytes = whole.bytes[start..<start + 1 + tried % 3]
      guard let stop = String(validating: bytes, as: UTF8.self),
        let first = whole.bytes.indices.first(where: {
          whole.bytes[$0...].starts(with: bytes)
        })
      else { continue }
      tried += 1
      options.stops = [stop, "never there"]
      var shown: [UInt8] = []
      let result = try generator.generate("hello world", options: options) {
        shown += Array($0.utf8)
        return true
      }
      #expect(result.finish == .stop && result.tokens <= 24)
      #expect(result.bytes == Array(whole.bytes[..<first]))
      #expect(String(decoding: shown, as: UTF8.self).hasSuffix(result.text.suffix(1)))
    }
    #expect(tried > 2)
    options.stops = []
    var parts = 0
    let cut = try generator.generate("hello world", options: options) { _ in
      parts += 1
      return parts < 3
    }
    #expect(cut.tokens < 24 && parts <= 4)
  }

  /// Keys and values in fewer bits give nearly the same probabilities, with windows and without.
  @Test(arguments: ["llama", "qwen2", "mistral", "gemma"])
  func keysInFewerBits(_ name: String) throws {
    let folder = try TemporaryFolder()
    let model = try model(name, in: folder)
    var options = GenerationOptions()
    options.maximumTokens = 24
    func text(_ precision: KeyPrecision, threads: Int = 1) throws -> (GeneratedText, Int) {
      var run = RunOptions()
      (run.keyPrecision, run.threads, run.maximumTokens) = (precision, threads, 64)
      let generator = try TextGenerator(model: model, options: run)
      return (try generator.generate("The capital of France is", options: options), generator.bytes)
    }
    let (exact, bytes) = try text(.float32)
    let forms = [(KeyPrecision.float16, 2e-3), (.int8, 0.05)]
    for (precision, bound) in forms {
      for threads in [1, 2] {
        let (own, ownBytes) = try text(precision, threads: threads)
        #expect(threads == 2 || ownBytes < bytes)
        let same = zip(own.ids, exact.ids).prefix { $0 == $1 }.count
        #expect(same > 0, "\(precision)")
        // Texts that differ were nearly tied where they part.
        guard own.ids == exact.ids else { continue }
        let difference = abs(own.logProbability - exact.logProbability) / Double(own.tokens)
        #expect(difference < bound, "\(precision): \(difference)")
        #expect(precision == .float32 || own.logProbability != exact.logProbability)
      }
    }
  }

  /// Texts that grow together are those that grow alone, whatever their options.
  @Test(arguments: ["llama", "mistral"]) func textsGrowTogether(_ name: String) throws {
    let folder = try TemporaryFolder()
    let model = try model(name, in: folder)
    var run = RunOptions()
    (run.maximumTokens, run.threads) = (64, 2)
    let prompts = ["hello world", "The capital of France is", "hello", "The"]
    func options(_ index: Int) throws -> GenerationOptions {
      var options = GenerationOptions()
      options.maximumTokens = 9 + 3 * index
      if index == 1 { (options.sampling.temperature, options.sampling.topK) = (2, 20) }
      if index == 2 { options.constraint = try TextConstraint(pattern: "[a-f]{9,12}") }
      return options
    }
    var wanted: [GeneratedText] = []
    for (index, prompt) in prompts.enumerated() {
      let alone = try TextGenerator(model: model, options: run)
      wanted.append(try alone.generate(prompt, options: options(index)))
    }
    let generator = try TextGenerator(model: model, options: run, more: 0, texts: 3)
    let session = try TextGenerator.Session(generator, options: GenerationOptions())
    defer { session.end() }
    var texts: [(index: Int, text: TextGenerator.Continuation, parts: [UInt8])] = []
    var next = 0, done = 0
    while done < prompts.count {
      while next < prompts.count, session.hasRoom {
        let prompt = Array(prompts[next].utf8)
        let text = try prompt.withUnsafeBytes {
          try session.begin($0, isChat: false, options: options(next), number: 0)
        }
        texts.append((next, text, []))
        next += 1
      }
      for place in texts.indices { texts[place].parts += texts[place].text.newPart() }
      for (index, text, parts) in texts where text.isComplete {
        let alone = wanted[index]
        #expect(text.result.ids == alone.ids && text.result.finish == alone.finish, "\(index)")
        #expect(abs(text.result.logProbability - alone.logProbability) < 1e-3)
        #expect(parts == alone.bytes)
        session.remove(text)
        done += 1
      }
      texts.removeAll { $0.text.isComplete }
      try session.step()
    }
  }

  /// A prompt that was read before gives the text that it gives when it is read.
  @Test(arguments: [KeyPrecision.float32, .float16, .int8])
  func promptCaches(_ precision: KeyPrecision) throws {
    let folder = try TemporaryFolder()
    let model = try model("llama", in: folder)
    var run = RunOptions()
    (run.keyPrecision, run.maximumTokens) = (precision, 64)
    let generator = try TextGenerator(model: model, options: run)
    var options = GenerationOptions()
    options.maximumTokens = 8
    let prompt = "The capital of France is"
    func text(_ session: TextGenerator.Session, _ prompt: String) throws -> GeneratedText {
      try Array(prompt.utf8).withUnsafeBytes { try session.generate($0) { _ in true } }
    }
    let first = try TextGenerator.Session(generator, options: options)
    let whole = try text(first, prompt)
    var file: [UInt8] = []
    try first.promptCache(tokens: whole.promptTokens) { file += $0 }
    first.end()
    func use(_ file: [UInt8], _ generator: TextGenerator) throws -> TextGenerator.Session {
      let session = try TextGenerator.Session(generator, options: options)
      do {
        try file.withUnsafeBytes { try session.use(promptCache: $0, path: "prompt.keys") }
        return session
      } catch {
        session.end()
        throw error
      }
    }
    for other in [prompt, "The capital", prompt + " and hello", "hello"] {
      let plain = try TextGenerator.Session(
        TextGenerator(model: model, options: run), options: options)
      let wanted = try text(plain, other)
      let session = try use(file, generator)
      let own = try text(session, other)
      #expect(own.ids == wanted.ids && own.promptTokens == wanted.promptTokens, "\(other)")
      #expect(abs(own.logProbability - wanted.logProbability) < 1e-3)
      // The next prompt of the session shares what it can with this one.
      #expect(try text(session, prompt).ids == whole.ids)
      session.end()
    }
    // A generator with less room takes the beginning.
    run.maximumTokens = whole.promptTokens
    let small = try TextGenerator(model: model, options: run)
    try use(file, small).end()
    // Whatever is wrong with a file, it is refused.
    for length in 0..<min(file.count, 200) {
      #expect(throws: VDSQError.self) { try use(Array(file[..<length]), generator) }
    }
    #expect(throws: VDSQError.self) { try use(file + [0], generator) }
    for place in Array(0..<80) + [file.count / 2, file.count - 1] {
      var damaged = file
      damaged[place] ^= 0x41
      #expect(throws: VDSQError.self, "\(place)") { try use(damaged, generator) }
    }
    let other = try TextGenerator(model: try self.model("qwen2", in: folder), options: run)
    #expect(throws: VDSQError.self) { try use(file, other) }
  }

  /// A token that controls the model is no part of a text, and can end it.
  @Test func controlTokensAreNotWritten() throws {
    let folder = try TemporaryFolder()
    let golden = try #require(
      Golden.all.first {
        $0.model == "qwen2" && $0.prompt == "hello world" && $0.penalty == 1 && $0.margin > 0.004
      })
    let plain = try TextGenerator(model: try model("qwen2", in: folder))
    var options = GenerationOptions()
    options.maximumTokens = 24
    let whole = try plain.generate("hello world", options: options)
    #expect(whole.ids == golden.ids)
    let file = Fixtures.path("language-models/qwen2/tokenizer.json")
    var tokenizer = try #require(
      JSONSerialization.jsonObject(with: Data(contentsOf: URL(fileURLWithPath: file)))
        as? [String: Any])
    let vocabulary = try #require(
      (tokenizer["model"] as? [String: Any])?["vocab"] as? [String: Int])
    // A token of the text that is not in the prompt.
    let (content, id) = try #require(
      vocabulary.filter {
        golden.ids.contains(Int32($0.value)) && !"hello world".contains($0.key)
          && $0.key.replacing("Ġ", with: " ").allSatisfy(\.isASCII)
      }.min { $0.value < $1.value })
    let piece = content.replacing("Ġ", with: " ")
    let added = tokenizer["added_tokens"] as? [Any] ?? []
    for isSpecial in [true, false] {
      let checkpoint = try folder.copy(
        ofFixture: "language-models/qwen2", as: "marked-\(isSpecial)")
      let mark: [String: Any] = [
        "id": id, "content": content, "special": isSpecial, "normalized": false,
        "single_word": false, "lstrip": false, "rstrip": false,
      ]
      tokenizer["added_tokens"] = added + [mark]
      try JSONSerialization.data(withJSONObject: tokenizer).write(
        to: URL(fileURLWithPath: "\(checkpoint)/tokenizer.json"))
      _ = try Converter(folder: checkpoint, weights: .fp32).write(
        to: "\(checkpoint).vdsq", replace: false, progress: Progress(total: 1) { _ in })
      let generator = try TextGenerator(model: try Model(path: "\(checkpoint).vdsq"))
      options.stops = []
      let text = try generator.generate("hello world", options: options)
      #expect(text.ids == golden.ids)
      let count = golden.ids.count { $0 == Int32(id) }
      let left = whole.bytes.count - (isSpecial ? count * piece.utf8.count : 0)
      #expect(count > 0 && text.bytes.count == left)
      guard isSpecial else { continue }
      options.stops = [piece]
      let stopped = try generator.generate("hello world", options: options)
      let end = try #require(golden.ids.firstIndex(of: Int32(id)))
      #expect(stopped.ids == Array(golden.ids[...end]) && stopped.finish == .stop)
    }
  }

  @Test func promptsNeedRoom() throws {
    let folder = try TemporaryFolder()
    let model = try model("gpt2", in: folder)
    var run = RunOptions()
    run.maximumTokens = 8
    let generator = try TextGenerator(model: model, options: run)
    let result = try generator.generate("hello world")
    #expect(result.promptTokens + result.tokens <= 9 && result.finish == .length)
    #expect(throws: VDSQError.self) {
      try generator.generate(String(repeating: "hello ", count: 20))
    }
    // The empty prompt is the token with which texts begin.
    #expect(try generator.generate("").promptTokens == 1)
    #expect(throws: VDSQError.self) {
      try TextGenerator(model: try ConvertedModel("bert-mean").model)
    }
  }
}

import TestSupport
import Testing
import VDSQConversion
import VDSQFormat
import VDSQInference
import VDSQSemantics

@Suite struct TextTemplateTests {
  private func encoder(
    _ name: String, in folder: TemporaryFolder, tokens: Int? = nil
  ) throws -> TextEncoder {
    _ = try Converter(folder: Fixtures.path(name), weights: .fp32).write(
      to: folder.path("m.vdsq"), replace: false, progress: Progress(total: 1) { _ in })
    var options = TextEncoder.Options()
    options.maximumTokens = tokens
    return try TextEncoder(path: folder.path("m.vdsq"), options: options)
  }

  private func state(
    of text: String, in template: String?, _ encoder: TextEncoder
  ) throws -> (state: [Float], isCut: Bool) {
    var template = try TextTemplate(template.map { try Template($0) }, encoder: encoder)
    var added = (tokens: 0, isCut: false, isBlank: false)
    Array(text.utf8).withUnsafeBytes { added = template.add($0, to: encoder) }
    var state: [Float] = []
    try encoder.encode { _, vector in
      state = Array(UnsafeBufferPointer(start: vector, count: encoder.dimensions))
    }
    return (state, added.isCut)
  }

  /// The state at a token of the last layer.
  private func traced(_ text: String, at token: Int, _ encoder: TextEncoder) throws -> [Float] {
    let trace = try Array(text.utf8).withUnsafeBytes { (text) throws(VDSQError) in
      try encoder.trace(text)
    }
    let start = ((trace.layers - 1) * trace.ids.count + token) * trace.dimensions
    return Array(trace.states[start..<start + trace.dimensions])
  }

  private func expectClose(_ a: [Float], _ b: [Float]) {
    #expect(a.count == b.count)
    for (x, y) in zip(a, b) { #expect(abs(x - y) < 1e-5) }
  }

  /// The state is that at the template's mask, wherever the text has masks of its own.
  @Test func theMaskIsTheTemplates() throws {
    let folder = try TemporaryFolder()
    let encoder = try encoder("language-models/bert", in: folder)
    let mask = try #require(encoder.tokenizer.mask)
    for (template, isLast) in [("{text} is [MASK].", true), ("[MASK] is {text}.", false)] {
      for text in ["hello", "a [MASK]", "[MASK] [MASK]"] {
        let whole = String(template.replacing("{text}", with: text))
        let ids = Array(whole.utf8).withUnsafeBytes { encoder.tokens(of: $0) }
        let places = ids.indices.filter { ids[$0] == mask }
        #expect(places.count == whole.ranges(of: "[MASK]").count)
        let place = try #require(isLast ? places.last : places.first)
        expectClose(
          try state(of: text, in: template, encoder).state,
          try traced(whole, at: place, encoder))
      }
    }
  }

  @Test(arguments: ["{text} is it.", "[MASK] is {text} [MASK]", "[MASK] [MASK] {text}"])
  func masksAreCounted(_ template: String) throws {
    let folder = try TemporaryFolder()
    let encoder = try encoder("language-models/bert", in: folder)
    #expect {
      try TextTemplate(try Template(template), encoder: encoder)
    } throws: {
      let error = $0 as? VDSQError
      return error?.category == .usage && error?.message.contains("[MASK]") == true
    }
    // Zero-shot labels refuse it too, before any text.
    #expect(throws: VDSQError.self) {
      try LabelSet(
        [Label(name: "hello"), Label(name: "stop")], encoder: encoder,
        template: try Template(template))
    }
  }

  /// A long text is cut, and what stands behind it in the template is not.
  @Test func theTextIsCut() throws {
    let folder = try TemporaryFolder()
    let encoder = try encoder("bert-mean", in: folder, tokens: 20)
    let template = "{text} stop"
    func words(_ count: Int) -> String {
      Array(repeating: "hello", count: count).joined(separator: " ")
    }
    func fits(_ count: Int) -> Bool {
      Array("\(words(count)) stop".utf8).withUnsafeBytes { encoder.fits($0) }
    }
    let most = try #require((1...20).last(where: fits))
    #expect(try !state(of: words(most), in: template, encoder).isCut)
    // Only bytes are cut off, so a part of the next word may fit too.
    let (long, isCut) = try state(of: words(100), in: template, encoder)
    #expect(isCut)
    let cuts = try (0..<6).map {
      try state(of: words(most) + " hello".prefix($0), in: template, encoder).state
    }
    #expect(cuts.contains { zip($0, long).allSatisfy { abs($0 - $1) < 1e-5 } })
    let last = Array("\(words(100)) stop".utf8)
    let plain = try encoder.vector(of: String(decoding: last, as: UTF8.self))
    #expect(!zip(plain, long).allSatisfy { abs($0 - $1) < 1e-5 })
  }

  @Test func withoutATemplateTextsAreReadAsTheyAre() throws {
    let folder = try TemporaryFolder()
    let encoder = try encoder("bert-mean", in: folder)
    let plain = try encoder.vector(of: "hello world")
    #expect(try state(of: "hello world", in: nil, encoder).state == plain)
    #expect(try state(of: "hello world", in: "about {}", encoder).state == plain)
  }

  /// A template without room for a text is refused.
  @Test func whatDoesNotFitIsRefused() throws {
    let folder = try TemporaryFolder()
    let encoder = try encoder("bert-mean", in: folder, tokens: 20)
    let long = String(repeating: "hello ", count: 40)
    for template in [long + "{text}", "{text} " + long, long + "{}"] {
      #expect {
        try TextTemplate(try Template(template), encoder: encoder)
      } throws: { ($0 as? VDSQError)?.setting == .template }
    }
  }
}

package import VDSQFormat
package import VDSQInference
import VDSQTokenizers

/// A template around the texts of one encoder. Texts are cut so that the rest of the template fits
/// the longest sequence.
package struct TextTemplate {
  /// The template; nil if texts are read as they are.
  private let template: Template?
  /// The mask token at which a masked language model reads the state.
  package let mask: TextEncoder.MaskPlace
  /// The tokens of a text that has nothing to read, and how many the model gets of it.
  private let nothing: [Int32]
  private let tokensOfNothing: Int
  private var filled: [UInt8] = []

  /// - Parameter template: nil, or a template around label words, leaves texts as they are.
  /// - Throws: `usage` if the template leaves no room for a text; if the encoder is of a masked
  ///   language model and the template has not exactly one mask token.
  package init(_ template: Template?, encoder: TextEncoder) throws(VDSQError) {
    self.template = template.flatMap { $0.aroundTexts ? $0 : nil }
    if let template {
      // One letter must fit in between.
      var filled: [UInt8] = []
      [UInt8(ascii: "a")].withUnsafeBytes { template.fill($0, into: &filled) }
      guard filled.withUnsafeBytes({ encoder.fits($0) }) else {
        throw .usage(
          "too long: with it no text fits the \(encoder.maximumTokens) tokens of the longest sequence",
          .template)
      }
    }
    let empty = UnsafeRawBufferPointer(start: nil, count: 0)
    self.template?.fill(empty, into: &filled)
    nothing = filled.withUnsafeBytes { encoder.tokens(of: $0) }
    let addsMask = encoder.kind == .masked && self.template == nil
    tokensOfNothing = max(1, nothing.count + (addsMask ? 1 : 0))
    guard let template = self.template, encoder.kind == .masked else {
      mask = .first
      return
    }
    // A text may hold masks itself; the template's is in front of it, or behind it.
    let masks = filled.withUnsafeBytes { encoder.maskCount(in: $0) }
    guard masks == 1 else {
      let name = encoder.tokenizer.mask.map { String(decoding: encoder.token($0), as: UTF8.self) }
      throw .usage(
        "\(masks == 0 ? "no" : "more than one") mask token; the model reads its answer at one "
          + "\(name ?? "mask"): write it once", .template)
    }
    mask = template.before.withUnsafeBytes { encoder.maskCount(in: $0) } == 1 ? .first : .last
  }

  /// Adds a text inside the template to the encoder's batch, which must have room.
  ///
  /// - Parameter text: UTF-8. Invalid sequences become U+FFFD.
  /// - Returns: the number of tokens, whether the text was cut, and whether it has nothing to read:
  ///   it is blank (`BlankText`), or the tokenizer leaves nothing of it.
  @discardableResult
  package mutating func add(
    _ text: UnsafeRawBufferPointer, to encoder: TextEncoder
  ) -> (tokens: Int, isCut: Bool, isBlank: Bool) {
    let (mask, nothing, tokensOfNothing) = (mask, nothing, tokensOfNothing)
    return withText(text, for: encoder) { filled, isCut in
      let (tokens, truncated) = encoder.add(filled, mask: mask)
      // The ids take memory; few texts have so few tokens.
      let isBlank =
        BlankText.isBlank(text)
        || (tokens <= tokensOfNothing && encoder.tokens(of: filled) == nothing)
      return (tokens, isCut || truncated, isBlank)
    }
  }

  /// Whether a text has nothing to read, as `add` says.
  package mutating func isBlank(
    _ text: UnsafeRawBufferPointer, for encoder: TextEncoder
  ) -> Bool {
    let nothing = nothing
    return withText(text, for: encoder) { filled, _ in
      BlankText.isBlank(text) || encoder.tokens(of: filled) == nothing
    }
  }

  /// Calls `body` with the text inside the template, and whether the text was cut.
  package mutating func withText<Result>(
    _ text: UnsafeRawBufferPointer, for encoder: TextEncoder,
    _ body: (_ text: UnsafeRawBufferPointer, _ isCut: Bool) -> Result
  ) -> Result {
    guard let template else { return body(text, false) }
    let isCut = fill(template, text, encoder)
    return filled.withUnsafeBytes { body($0, isCut) }
  }

  private mutating func fill(
    _ template: Template, _ text: UnsafeRawBufferPointer, _ encoder: TextEncoder
  ) -> Bool {
    template.fill(text, into: &filled)
    if filled.withUnsafeBytes({ encoder.fits($0) }) { return false }
    var fitting = 0
    var tooLong = text.count
    while tooLong - fitting > 1 {
      let middle = (fitting + tooLong) / 2
      template.fill(UnsafeRawBufferPointer(rebasing: text[..<middle]), into: &filled)
      if filled.withUnsafeBytes({ encoder.fits($0) }) { fitting = middle } else { tooLong = middle }
    }
    // Not in the middle of a scalar.
    while fitting > 0, text[fitting] & 0xC0 == 0x80 { fitting -= 1 }
    template.fill(UnsafeRawBufferPointer(rebasing: text[..<fitting]), into: &filled)
    return true
  }
}

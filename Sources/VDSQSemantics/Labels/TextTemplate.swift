package import VDSQFormat
package import VDSQInference
import VDSQTokenizers

/// A template around the texts of one encoder. Texts are cut so that the rest of the template fits the
/// longest sequence.
package struct TextTemplate {
  /// The template; nil if texts are read as they are.
  private let template: Template?
  /// The mask token at which a masked language model reads the state.
  package let mask: TextEncoder.MaskPlace
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
    guard let template = self.template, encoder.kind == .masked else {
      mask = .first
      return
    }
    // A text may hold masks itself; the template's is in front of it, or behind it.
    template.fill(UnsafeRawBufferPointer(start: nil, count: 0), into: &filled)
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
  /// - Returns: the number of tokens, and whether the text was cut.
  @discardableResult
  package mutating func add(
    _ text: UnsafeRawBufferPointer, to encoder: TextEncoder
  ) -> (tokens: Int, isCut: Bool) {
    let mask = mask
    return withText(text, for: encoder) { filled, isCut in
      let (tokens, truncated) = encoder.add(filled, mask: mask)
      return (tokens, isCut || truncated)
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

public import VDSQFormat

/// A sentence around a label's words or around a text.
///
/// `{}` or `{label}` is the place of a label's word, so that anchors are made from sentences such
/// as `This is about {}.` With `{text}`, the template goes around the texts instead.
public struct Template: Sendable, Equatable {
  /// The parts in front of and behind the label's word or the text, in UTF-8.
  let before: [UInt8]
  let after: [UInt8]
  /// Whether it goes around texts rather than labels.
  public let aroundTexts: Bool

  /// The label's word alone.
  static let bare = Template(before: "", after: "")

  /// The default templates around a label's words.
  static let usual = [
    bare, Template(before: "This is about ", after: "."),
    Template(before: "This text is about ", after: "."),
  ]

  private init(before: String, after: String) {
    self.before = Array(before.utf8)
    self.after = Array(after.utf8)
    aroundTexts = false
  }

  /// - Throws: `usage` if it has no place for a label or a text, or more than one.
  public init(_ template: String) throws(VDSQError) {
    let bytes = Array(template.utf8)
    var found: (range: Range<Int>, text: Bool)?
    let marks: [(String, Bool)] = [("{}", false), ("{label}", false), ("{text}", true)]
    for (mark, isText) in marks {
      let mark = Array(mark.utf8)
      var i = 0
      while i + mark.count <= bytes.count {
        if bytes[i..<i + mark.count].elementsEqual(mark) {
          if found != nil { throw .usage("more than one {}, {label} or {text}", .template) }
          found = (i..<i + mark.count, isText)
        }
        i += 1
      }
    }
    guard let found else {
      throw .usage("no {} for the label's words, and no {text} for the text", .template)
    }
    before = Array(bytes[..<found.range.lowerBound])
    after = Array(bytes[found.range.upperBound...])
    aroundTexts = found.text
  }

  /// The template as it was parsed, with `{text}` or `{label}` in place.
  package var source: String {
    String(decoding: before, as: UTF8.self) + (aroundTexts ? "{text}" : "{label}")
      + String(decoding: after, as: UTF8.self)
  }

  /// Replaces the contents of `buffer` by the template around `content`.
  package func fill(_ content: UnsafeRawBufferPointer, into buffer: inout [UInt8]) {
    buffer.removeAll(keepingCapacity: true)
    buffer.append(contentsOf: before)
    buffer.append(contentsOf: content)
    buffer.append(contentsOf: after)
  }
}

/// The normalization and word splitting of BERT tokenizers, one scalar at a time.
///
/// Follows `BertNormalizer` and `BertPreTokenizer` of Hugging Face's tokenizers: clean the text,
/// separate ideographs, strip accents (NFD, then drop nonspacing marks), lower-case; then split at
/// whitespace and around punctuation.
package struct BertNormalizer: Sendable {
  /// The steps that are applied; the bits are those of the field in the file.
  package struct Options: OptionSet, Sendable {
    package let rawValue: UInt32
    package init(rawValue: UInt32) { self.rawValue = rawValue }

    /// Maps each scalar to lower case.
    package static let lowercase = Options(rawValue: 1)
    /// Decomposes (NFD) and drops nonspacing marks (category Mn).
    package static let stripAccents = Options(rawValue: 2)
    /// Drops control characters, U+0000 and U+FFFD, and turns whitespace into spaces.
    package static let cleanText = Options(rawValue: 4)
    /// Puts a space before and after each CJK ideograph, so that each is a word.
    package static let separateIdeographs = Options(rawValue: 8)
  }

  let options: Options
  /// Scalars with a combining class above 0 that are not in canonical order yet.
  private var pending: [UInt32] = []

  init(options: Options) { self.options = options }

  /// Normalizes one scalar and passes it on.
  mutating func feed<Sink: ScalarSink>(_ scalar: UInt32, to words: inout Sink) {
    var scalar = scalar
    if scalar >= 0x20, scalar < 0x7F {
      flush(to: &words)
      return finish(scalar, &words)
    }
    let kind = CharacterData.characterClass(scalar)
    if options.contains(.cleanText) {
      if kind.contains(.removed) { return }
      if kind.contains(.whitespace) { scalar = 0x20 }
    }
    let apart = options.contains(.separateIdeographs) && kind.contains(.ideograph)
    if apart { put(0x20, &words) }
    put(scalar, &words)
    if apart { put(0x20, &words) }
  }

  /// Ends the text and passes on pending scalars.
  mutating func end<Sink: ScalarSink>(_ words: inout Sink) { flush(to: &words) }

  private mutating func put<Sink: ScalarSink>(_ scalar: UInt32, _ words: inout Sink) {
    guard options.contains(.stripAccents) else { return finish(scalar, &words) }
    CharacterData.decompose(scalar) { part in
      if CharacterData.characterClass(part).contains(.mark) { return }
      if CharacterData.combiningClass(part) == 0 {
        flush(to: &words)
        finish(part, &words)
      } else if pending.count < 64 {
        pending.append(part)
      }
    }
  }

  private mutating func flush<Sink: ScalarSink>(to words: inout Sink) {
    if pending.isEmpty { return }
    // Insertion sort by combining class. The sort must be stable.
    for i in 1..<max(1, pending.count) {
      var j = i
      while j > 0,
        CharacterData.combiningClass(pending[j - 1]) > CharacterData.combiningClass(pending[j])
      {
        pending.swapAt(j - 1, j)
        j -= 1
      }
    }
    for scalar in pending { finish(scalar, &words) }
    pending.removeAll(keepingCapacity: true)
  }

  private func finish<Sink: ScalarSink>(_ scalar: UInt32, _ words: inout Sink) {
    if options.contains(.lowercase) {
      CharacterData.lowercase(scalar) { words.add($0) }
    } else {
      words.add(scalar)
    }
  }
}

/// A part of a text with the label that a tagger gave it.
public struct Entity: Sendable, Equatable {
  /// The label; of a group of tokens without `B-` and `I-`.
  public let label: String
  /// The probability of the label, from 0 to 1; of a group the mean.
  public let score: Float
  /// The place in the text in Unicode scalars, as in Python.
  public internal(set) var characters: Range<Int>
  /// The place in the text in bytes of UTF-8.
  public let bytes: Range<Int>
  /// The index of the token among those that the model read; nil for a group.
  public let token: Int?
}

/// A token with the probabilities of all labels.
struct ScoredToken {
  let scores: [Float]
  let bytes: Range<Int>
  let index: Int
  /// Whether it continues a word.
  let isSubword: Bool

  var best: (label: Int, score: Float) { scores.largest }
}

/// How entities are made of tokens: the aggregation strategies of transformers' pipeline.
public enum EntityAggregation: CaseIterable, Sendable {
  /// Each token is an entity.
  case none
  /// Adjacent tokens of the same label are one.
  case simple
  /// The same for words, which have the label of their first token.
  case first
  /// The same for words, which have the label of the highest mean probability.
  case average
  /// The same for words, which have the label of their most probable token.
  case max

  /// The name in transformers.
  public var name: String {
    switch self {
    case .none: "none"
    case .simple: "simple"
    case .first: "first"
    case .average: "average"
    case .max: "max"
    }
  }

  /// The aggregation of a name; nil if there is none.
  public init?(name: String) {
    guard let found = Self.allCases.first(where: { $0.name.utf8.elementsEqual(name.utf8) }) else {
      return nil
    }
    self = found
  }

  /// The entities of tokens, in their order, without those labelled `O`.
  func entities(of tokens: [ScoredToken], labels: [String]) -> [Entity] {
    let parts =
      self == .none || self == .simple
      ? tokens.map { part($0.best.label, $0.best.score, $0.bytes, $0.index, labels) }
      : words(of: tokens).map { word in
        let (label, score) = labelled(word)
        return part(
          label, score, word[0].bytes.lowerBound..<word[word.count - 1].bytes.upperBound, nil,
          labels)
      }
    let all = self == .none ? parts : groups(of: parts)
    return all.filter { !$0.label.utf8.elementsEqual("O".utf8) }
  }

  private func part(
    _ label: Int, _ score: Float, _ bytes: Range<Int>, _ index: Int?, _ labels: [String]
  ) -> Entity {
    Entity(label: labels[label], score: score, characters: 0..<0, bytes: bytes, token: index)
  }

  private func words(of tokens: [ScoredToken]) -> [[ScoredToken]] {
    var words: [[ScoredToken]] = []
    for token in tokens {
      if token.isSubword, !words.isEmpty {
        words[words.count - 1].append(token)
      } else {
        words.append([token])
      }
    }
    return words
  }

  /// The label of a word and its probability.
  private func labelled(_ word: [ScoredToken]) -> (label: Int, score: Float) {
    switch self {
    case .none, .simple, .first: return word[0].best
    case .max:
      var best = word[0].best
      for token in word where token.best.score > best.score { best = token.best }
      return best
    case .average:
      var mean = [Float](repeating: 0, count: word[0].scores.count)
      for token in word {
        for i in mean.indices { mean[i] += token.scores[i] / Float(word.count) }
      }
      return mean.largest
    }
  }

  /// Joins a part with the one before if both have the same label and it does not begin with `B-`.
  private func groups(of parts: [Entity]) -> [Entity] {
    var groups: [[Entity]] = []
    for part in parts {
      if let last = groups.last?.last, !Tag(part.label).begins,
        Tag(part.label).name.utf8.elementsEqual(Tag(last.label).name.utf8)
      {
        groups[groups.count - 1].append(part)
      } else {
        groups.append([part])
      }
    }
    return groups.map { group in
      var sum: Float = 0
      for part in group { sum += part.score }
      return Entity(
        label: Self.groupName(group[0].label), score: sum / Float(group.count), characters: 0..<0,
        bytes: group[0].bytes.lowerBound..<group[group.count - 1].bytes.upperBound, token: nil)
    }
  }

  /// A label without what is before its first hyphen.
  private static func groupName(_ label: String) -> String {
    guard let hyphen = label.utf8.firstIndex(of: UInt8(ascii: "-")) else { return label }
    return String(label[label.utf8.index(after: hyphen)...])
  }

  /// A label of the scheme BIO; others continue what has the same name.
  private struct Tag {
    let begins: Bool
    let name: Substring

    init(_ label: String) {
      let bytes = Array(label.utf8.prefix(2))
      begins = bytes == [UInt8(ascii: "B"), UInt8(ascii: "-")]
      let isMarked = begins || bytes == [UInt8(ascii: "I"), UInt8(ascii: "-")]
      name = isMarked ? label[label.utf8.index(label.startIndex, offsetBy: 2)...] : label[...]
    }
  }
}

extension [Float] {
  /// The index of the largest element, the first of equal ones, and the element.
  fileprivate var largest: (Int, Float) {
    var best = 0
    for i in indices where self[i] > self[best] { best = i }
    return (best, self[best])
  }
}

/// Places in a text, counted in Unicode scalars.
enum CharacterOffsets {
  /// The number of scalars of UTF-8.
  static func count(_ text: Slice<UnsafeRawBufferPointer>) -> Int {
    var count = 0
    for byte in text where byte & 0xC0 != 0x80 { count += 1 }
    return count
  }

  /// Entities with their places in scalars.
  static func counted(_ entities: [Entity], in text: UnsafeRawBufferPointer) -> [Entity] {
    entities.map { entity in
      var entity = entity
      let start = count(text[..<entity.bytes.lowerBound])
      entity.characters = start..<start + count(text[entity.bytes])
      return entity
    }
  }
}

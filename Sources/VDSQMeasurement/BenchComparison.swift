import VDSQFormat
import VDSQStreams

/// The figures of a bench beside those of an earlier one.
package struct BenchComparison: Sendable {
  /// A figure of both.
  package struct Figure: Sendable, Equatable {
    package let name: String
    package let old: Double
    package let new: Double

    /// The new one over the old one; nil where the old one is not above zero.
    package var ratio: Double? { old > 0 ? new / old : nil }

    /// Whether more of it is better.
    private var isGood: Bool { name.hasSuffix("_per_s") || name.contains("share_of") }

    /// Whether it is better by more than 5%.
    package var isBetter: Bool {
      ratio.map { isGood ? $0 > 1.05 : $0 < 1 / 1.05 } ?? false
    }

    /// Whether it is worse by more than 5%.
    package var isWorse: Bool {
      ratio.map { isGood ? $0 < 1 / 1.05 : $0 > 1.05 } ?? (new > old)
    }
  }

  /// What was measured otherwise than before.
  package struct Change: Sendable, Equatable {
    package let setting: String
    package let old: String
    package let new: String
  }

  package let changes: [Change]
  /// In the new bench's order; one at least.
  package let figures: [Figure]
  private let new: BenchRecord

  /// - Parameters:
  ///   - record: the new bench.
  ///   - old: an earlier one.
  ///   - path: the file of the earlier one, for messages.
  /// - Throws: `badInput` where `old` is no bench's, or both have no figure in common.
  package init(
    _ record: BenchRecord, with old: BenchRecord, path: String
  ) throws(VDSQError) {
    let before = try FlatFigures(old, path: path), now = FlatFigures(record)
    new = record
    let values = Dictionary(before.figures.map { ($0.name, $0.value) }) { first, _ in first }
    figures = now.figures.compactMap { figure in
      values[figure.name].map { Figure(name: figure.name, old: $0, new: figure.value) }
    }
    guard !figures.isEmpty else {
      throw .badInput("\(path): has none of the figures that were measured now")
    }
    let settings = Dictionary(before.settings.map { ($0.name, $0.value) }) { first, _ in first }
    changes = now.settings.compactMap { setting in
      settings[setting.name].flatMap {
        $0 == setting.value ? nil : Change(setting: setting.name, old: $0, new: setting.value)
      }
    }
  }

  /// Reads an earlier bench from what `vdsq bench --json` wrote.
  ///
  /// - Throws: `missingInput` or `badInput` for the file, also where it has no figures.
  package static func earlier(path: String) throws(VDSQError) -> BenchRecord {
    let record = try BenchRecord(path: path)
    _ = try FlatFigures(record, path: path)
    return record
  }
}

extension BenchComparison: JSONValue {
  /// Writes the new bench as an object, with the comparison in it.
  package func write(to json: JSONWriter) {
    json.object {
      if case .rows = new {
        json.member("rows", new)
      } else {
        new.writeMembers(to: json, isOutermost: true)
      }
      json.breakLine()
      json.key("compared")
      json.array {
        for figure in figures {
          json.breakLine()
          json.object {
            json.member("figure", figure.name)
            json.member("old", figure.old)
            json.member("new", figure.new)
            json.member("ratio", figure.ratio)
          }
        }
      }
    }
  }
}

/// The numbers of a bench with names that say where they stand.
private struct FlatFigures {
  /// In the record's order.
  private(set) var figures: [(name: String, value: Double)] = []
  /// What was measured rather than how well it did.
  private(set) var settings: [(name: String, value: String)] = []

  private static let settingNames = [
    "model", "isa", "policy", "kernel", "rows", "cols", "batch", "threads", "tokens", "max_tokens",
    "texts",
  ]
  /// Follow from how fast the rest is.
  private static let counts = ["count", "steady_texts"]

  /// - Throws: `badInput` where there are no figures.
  init(_ record: BenchRecord, path: String) throws(VDSQError) {
    self.init(record)
    guard !figures.isEmpty else {
      throw .badInput("\(path): not what vdsq bench --json writes")
    }
  }

  init(_ record: BenchRecord) { add(record, prefix: "", isRow: false) }

  private mutating func add(_ record: BenchRecord, prefix: String, isRow: Bool) {
    switch record {
    case .rows(let rows):
      for row in rows { add(row, prefix: Self.name(of: row) + ": ", isRow: true) }
    case .group(let members):
      let texts = record["steady_texts"]?.value
      for member in members { add(member, prefix: prefix, isRow: isRow, texts: texts) }
    default: break
    }
  }

  /// A row is known by what it measures.
  private static func name(of row: BenchRecord) -> String {
    settingNames.compactMap { key in
      switch row[key] {
      case .text(let text): text
      case .integer(let number): "\(key) \(number)"
      default: nil
      }
    }.joined(separator: ", ")
  }

  /// - Parameter texts: how many texts the counters of the steady state are of.
  private mutating func add(
    _ member: BenchRecord.Member, prefix: String, isRow: Bool, texts: Double?
  ) {
    let (name, value) = (member.name, member.value)
    if Self.settingNames.contains(name) {
      guard !isRow else { return }
      if case .text(let text) = value {
        settings.append((name, text))
      } else if let number = value.value {
        settings.append((name, "\(Int(number))"))
      }
    } else if let number = value.value {
      if !Self.counts.contains(name) { figures.append((prefix + name, number)) }
    } else if name == "steady", let texts, texts > 0, case .group(let counters) = value {
      // A longer run counts more of them, so they are compared per text.
      for counter in counters {
        if let count = counter.value.value {
          figures.append(("a text: \(counter.name)", count / texts))
        }
      }
    } else if name != "compared" {
      add(value, prefix: prefix + name + ".", isRow: false)
    }
  }
}

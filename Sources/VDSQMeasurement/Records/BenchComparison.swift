package import VDSQFormat
package import VDSQStreams

/// The figures of a bench compared with those of an earlier one.
package struct BenchComparison: Sendable {
  /// A figure that both benches have.
  package struct Figure: Sendable, Equatable {
    package let name: String
    package let old: Double
    package let new: Double

    /// The new value divided by the old one; nil if the old one is not above zero.
    package var ratio: Double? { old > 0 ? new / old : nil }

    /// Whether a higher value is better.
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

  /// Settings that differ from those of the earlier bench.
  package struct Change: Sendable, Equatable {
    package let setting: String
    package let old: String
    package let new: String
  }

  package let changes: [Change]
  /// In the order of the new bench; at least one.
  package let figures: [Figure]
  private let new: BenchRecord

  /// - Parameters:
  ///   - record: the new bench.
  ///   - old: an earlier one.
  ///   - path: the file of the earlier one, for messages.
  /// - Throws: `badInput` if `old` is not a bench, or both have no figure in common.
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

  /// Reads an earlier bench from the output of `vdsq bench --json`.
  ///
  /// - Throws: `missingInput` or `badInput` for the file, also if it has no figures.
  package static func earlier(path: String) throws(VDSQError) -> BenchRecord {
    let record = try BenchRecord(path: path)
    _ = try FlatFigures(record, path: path)
    return record
  }
}

extension BenchComparison: JSONValue {
  /// Writes the new bench as an object that includes the comparison.
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

/// The numbers of a bench with their paths as names.
private struct FlatFigures {
  /// In the order of the record.
  private(set) var figures: [(name: String, value: Double)] = []
  /// The names that describe what was measured rather than a result.
  private(set) var settings: [(name: String, value: String)] = []

  private static let settingNames = [
    "model", "isa", "policy", "kernel", "rows", "cols", "batch", "threads", "tokens", "max_tokens",
    "texts",
  ]
  /// The names of figures that follow from the speed of others.
  private static let counts = ["count", "steady_texts"]

  /// - Throws: `badInput` if there are no figures.
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

  /// A row is identified by what it measures.
  private static func name(of row: BenchRecord) -> String {
    settingNames.compactMap { key in
      switch row[key] {
      case .text(let text): text
      case .integer(let number): "\(key) \(number)"
      default: nil
      }
    }.joined(separator: ", ")
  }

  /// - Parameter texts: the number of texts that the counters of the steady state cover.
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

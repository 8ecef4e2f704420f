import VDSQCheckpoints
import VDSQConversion
import VDSQFormat

/// The numbers of a `vdsq bench --json`, by name, to be compared with those of another run.
struct BenchFigures {
  private let path: String
  /// In the file's order.
  private var figures: [(name: String, value: Double)] = []
  /// What was measured rather than how well it did.
  private var settings: [(name: String, value: String)] = []

  private static let settingNames = [
    "model", "isa", "policy", "kernel", "rows", "cols", "batch", "threads", "tokens", "max_tokens",
    "texts",
  ]
  /// Follow from how fast the rest is.
  private static let counts = ["count", "steady_texts"]

  init(path: String) throws(VDSQError) {
    let bytes = try InputFile.contents(of: path, limit: 16 << 20)
    try self.init(String(decoding: bytes, as: UTF8.self), context: path)
  }

  /// - Throws: `badInput` where it is not what `vdsq bench --json` writes.
  init(_ json: String, context: String) throws(VDSQError) {
    path = context
    let json = try JSON(parsing: Array(json.utf8), context: context)
    add(json["rows"] ?? json, "")
    guard !figures.isEmpty else {
      throw .badInput("\(context): not what vdsq bench --json writes")
    }
  }

  private mutating func add(_ json: JSON, _ prefix: String) {
    for row in json.elements ?? [] {
      // A row is known by what it measures.
      let name = Self.settingNames.compactMap { key in
        row[key].flatMap { value in value.text ?? value.integer.map { "\(key) \($0)" } }
      }
      add(row, name.joined(separator: ", ") + ": ")
    }
    let isRow = !prefix.isEmpty && prefix.hasSuffix(": ")
    // What a run of another length counts more of is compared a text.
    let texts = json["steady_texts"]?.double
    json.forEachMember { key, value in
      if Self.settingNames.contains(key) {
        let text = value.text ?? value.double.map { "\(Int($0))" }
        if !isRow, let text { settings.append((key, text)) }
      } else if let number = value.double, !Self.counts.contains(key) {
        figures.append((prefix + key, number))
      } else if key == "steady", let texts, texts > 0 {
        value.forEachMember { name, count in
          if let count = count.double { figures.append(("a text: \(name)", count / texts)) }
          return true
        }
      } else if key != "compared" {
        add(value, prefix + key + ".")
      }
      return true
    }
  }

  /// Figures of both runs, new ones beside old ones.
  private func pairs(_ old: BenchFigures) throws(VDSQError) -> [(
    name: String, old: Double, new: Double
  )] {
    let known = Dictionary(old.figures.map { ($0.name, $0.value) }) { first, _ in first }
    let pairs = figures.compactMap { figure in
      known[figure.name].map { (figure.name, $0, figure.value) }
    }
    guard !pairs.isEmpty else {
      throw .badInput("\(old.path): has none of the figures that were measured now")
    }
    return pairs
  }

  /// Whether more of it is better.
  private static func isGood(_ name: String) -> Bool {
    name.hasSuffix("_per_s") || name.contains("share_of")
  }

  /// A line for each figure, and for each setting that is not as it was.
  func table(beside old: BenchFigures) throws(VDSQError) -> String {
    let pairs = try pairs(old)
    let known = Dictionary(old.settings.map { ($0.name, $0.value) }) { first, _ in first }
    var lines: [String] = []
    for setting in settings {
      guard let before = known[setting.name], before != setting.value else { continue }
      lines.append("not the same \(setting.name): \(before) before, \(setting.value) now")
    }
    let width = pairs.map(\.name.count).max()! + 2
    lines.append(
      padded("", width) + ["before", "now", "ratio"].map { rightAligned($0, 12) }.joined())
    for (name, old, new) in pairs {
      let ratio = old > 0 ? new / old : nil
      let isBetter = ratio.map { Self.isGood(name) ? $0 > 1.05 : $0 < 1 / 1.05 } ?? false
      let isWorse = ratio.map { Self.isGood(name) ? $0 < 1 / 1.05 : $0 > 1.05 } ?? (new > old)
      let numbers = [significant(old), significant(new), ratio.map { fixed($0, 2) } ?? ""]
      lines.append(
        padded(name, width) + numbers.map { rightAligned($0, 12) }.joined()
          + (isBetter ? "  better" : isWorse ? "  worse" : ""))
    }
    return lines.joined(separator: "\n")
  }

  /// The new run's JSON as an object, with what is compared in it.
  func comparison(with old: BenchFigures, adding json: String) throws(VDSQError) -> String {
    let compared = try pairs(old).map { name, old, new in
      "{\"figure\": \(Provenance.quoted(name)), \"old\": \(old), \"new\": \(new), "
        + "\"ratio\": \(old > 0 ? "\(new / old)" : "null")}"
    }
    let list = "\"compared\": [\(compared.joined(separator: ",\n"))]}"
    return json.hasPrefix("[") ? "{\"rows\": \(json),\n\(list)" : "\(json.dropLast()),\n\(list)"
  }
}

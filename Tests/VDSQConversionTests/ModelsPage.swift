import VDSQCheckpoints
import VDSQConversion

/// The parts of docs/models.md that are generated, in order of the page.
///
/// Each stands between the lines `<!-- generated: NAME -->` and `<!-- end -->`.
enum ModelsPage {
  /// The name and the text of every part.
  static let parts: [(name: String, text: String)] =
    [
      ("architectures", architectures),
      ("GGUF", gguf),
      ("GGUF keys", ggufKeys),
      ("ONNX", "- **Architectures:** \(modelTypes(CheckpointArchitecture.onnx)).\n"),
    ]
    + [
      SettingKeys.module, .pooling, .dense, .layerNorm, .normalize, .transformer,
      .sentenceTransformers, .tokenizer,
    ].map { ($0.file, keys($0.keys)) }
    + [
      ("config.json of all", keys(SettingKeys.common)),
      ("config.json of encoders", keys(SettingKeys.encoder)),
      ("config.json of decoders", keys(SettingKeys.decoder)),
      ("config.json of each", configurations),
    ]

  /// The page with its parts generated anew.
  static func generate(_ page: String) -> String {
    var result = page
    for (name, text) in parts {
      guard let begin = result.range(of: "<!-- generated: \(name) -->\n"),
        let end = result.range(of: "<!-- end -->", range: begin.upperBound..<result.endIndex)
      else { continue }
      result.replaceSubrange(begin.upperBound..<end.lowerBound, with: text)
    }
    return result
  }

  private static var architectures: String {
    let rows = CheckpointArchitecture.withVariants.map { architecture in
      let formats =
        [architecture.gguf.map { "GGUF `\($0.name)`" }]
        + [CheckpointArchitecture.onnx.contains { $0.title == architecture.title } ? "ONNX" : nil]
      let heads = [
        architecture.textHead.map { _ in "texts" }, architecture.tokenHead.map { _ in "tokens" },
      ]
      return [
        architecture.title, modelTypes([architecture]), list(formats), list(heads),
        architecture.references.joined(separator: ", "),
      ]
    }
    let header = ["family", "`model_type`", "beside folders", "heads", "compared with"]
    return ([header, header.map { _ in "---" }] + merged(rows))
      .map { "| \($0.joined(separator: " | ")) |\n" }.joined()
  }

  /// The first row of each family: layouts of its tensors are no family of their own.
  private static func merged(_ rows: [[String]]) -> [[String]] {
    rows.enumerated().filter { !rows[..<$0.offset].map(\.first).contains($0.element.first) }.map(
      \.element)
  }

  private static func list(_ items: [String?]) -> String {
    items.compactMap(\.self).joined(separator: ", ")
  }

  private static func modelTypes(_ architectures: [CheckpointArchitecture]) -> String {
    architectures.flatMap(\.modelTypes).joined(separator: ", ")
  }

  private static var gguf: String {
    [
      ("Types of tensors", SourceType.ggufNames),
      ("Architectures", CheckpointArchitecture.supportedGGUF),
      ("Tokenizer models", GGUFTokenizerModel.supported),
      ("Values of `tokenizer.ggml.pre`", GGUFPreTokenizer.supported),
    ].map { wrapped("**\($0):** \($1).") }.joined(separator: "\n")
  }

  private static var ggufKeys: String {
    /// What is said of a key.
    func use(_ key: GGUFKey) -> String {
      switch (key.use, key.scope) {
      case (.read, .all): "Read in all models"
      case (.read, .rotary): "Read in models with rotary positions, refused in others"
      case (.read, .causal):
        "Read in causal models and those with windows in some layers, refused in others"
      case (.read, .capped): "Read in models that cap scores, refused in others"
      case (.read, .patterned): "Read in models with windows in some layers, refused in others"
      case (.read, .local):
        "Read in models whose layers with windows have positions of their own, refused in others"
      case (.read, .dense): "Read in sentence encoders with Dense modules, refused in others"
      case (.only(let values), _):
        "Refused unless the value is "
          + (values.map { "\(Int($0))" } + ["empty"]).joined(separator: " or ")
      case (.ignored, _): "Ignored, because no value changes a vector"
      }
    }
    return grouped(GGUFKey.all.map { (use($0), "`\($0.name)`") })
      .map { wrapped("**\($0):** \($1).") }.joined(separator: "\n")
  }

  private static func keys(_ keys: [SettingKey]) -> String {
    var last: [String: SettingKey] = [:]
    for key in keys { last[key.name] = key }
    let names = keys.map(\.name).enumerated()
      .filter { !keys[..<$0.offset].map(\.name).contains($0.element) }
    return grouped(
      names.map {
        let key = last[$0.element]!
        return switch key.use {
        case .followed: (followed, "`\(key.name)`")
        case .fixed(let values):
          ("Refused unless null or", "`\(key.name)` (\(values.map(text).joined(separator: ", ")))")
        case .absent: ("Refused unless null, false, 0 or empty", "`\(key.name)`")
        case .harmless: ("Changes no vector", "`\(key.name)`")
        }
      }
    ).map { wrapped("- **\($0)**: \($1).", indent: "  ") }.joined()
  }

  private static var configurations: String {
    merged(
      CheckpointArchitecture.withVariants.map { architecture in
        let shared =
          SettingKeys.common + (isDecoder(architecture) ? SettingKeys.decoder : SettingKeys.encoder)
        let own = architecture.settings.filter { key in
          !shared.contains { $0.name == key.name && "\($0.use)" == "\(key.use)" }
        }
        return [architecture.title, keys(own)]
      }
    ).map { "\($0[0]):\n\n\($0[1])" }.joined(separator: "\n")
  }

  private static let followed = "Followed"

  private static func isDecoder(_ architecture: CheckpointArchitecture) -> Bool {
    let names = Set(architecture.settings.map(\.name))
    return SettingKeys.decoder.allSatisfy { names.contains($0.name) }
  }

  private static func text(_ value: JSON) -> String {
    value.text ?? value.boolean.map { "\($0)" } ?? value.integer.map { "\($0)" }
      ?? value.double.map { "\($0)" } ?? "a list"
  }

  /// Items by their group: what is followed first, then in order of the first item of each.
  private static func grouped(_ items: [(group: String, item: String)]) -> [(String, String)] {
    var groups = items.contains { $0.group == followed } ? [followed] : []
    for item in items where !groups.contains(item.group) { groups.append(item.group) }
    return groups.map { group in
      (group, items.filter { $0.group == group }.map(\.item).joined(separator: ", "))
    }
  }

  /// A paragraph in lines of at most 100 columns.
  private static func wrapped(_ paragraph: String, indent: String = "") -> String {
    var lines = [""]
    for word in paragraph.split(separator: " ") {
      let line = lines.last!
      if line.isEmpty {
        lines[lines.count - 1] = String(word)
      } else if line.count + 1 + word.count <= 100 {
        lines[lines.count - 1] += " \(word)"
      } else {
        lines.append(indent + word)
      }
    }
    return lines.map { "\($0)\n" }.joined()
  }
}

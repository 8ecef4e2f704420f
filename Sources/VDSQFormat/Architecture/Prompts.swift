/// The prompts of a sentence encoder: texts that precede every text, by name, and the default one.
package struct Prompts: Sendable {
  /// The text of the default prompt; empty for none.
  package var standard = ""
  /// Names and texts.
  package var all: [(name: String, text: String)] = []

  /// No prompts.
  package init() {}

  /// The prompts of a model.
  ///
  /// - Throws: `badInput` if one is missing.
  package init(_ metadata: Metadata) throws(VDSQError) {
    standard = metadata.find("prompt") ?? ""
    let count = try metadata.find(integer: "prompts", in: 0...1024) ?? 0
    for i in 0..<count {
      guard let name = metadata.find("prompt_name.\(i)"),
        let text = metadata.find("prompt_text.\(i)")
      else {
        throw .badInput("\(metadata.path): metadata: prompt_name.\(i) or its text is missing")
      }
      all.append((name, text))
    }
  }

  /// Adds the prompts to metadata.
  package func store(in metadata: inout Metadata) {
    if !standard.utf8.isEmpty { metadata.set("prompt", .text(standard)) }
    guard !all.isEmpty else { return }
    metadata.set("prompts", .integer(all.count))
    for (i, prompt) in all.enumerated() {
      metadata.set("prompt_name.\(i)", .text(prompt.name))
      metadata.set("prompt_text.\(i)", .text(prompt.text))
    }
  }

  /// Whether a prompt exists in every sentence encoder, empty if the model has no text for it, as in
  /// sentence-transformers.
  private static func isImplicit(_ name: String) -> Bool {
    name.utf8.elementsEqual("query".utf8) || name.utf8.elementsEqual("document".utf8)
  }

  /// The text of a prompt, or of the default one.
  ///
  /// - Parameter name: nil for the default.
  /// - Throws: `usage` if there is none of this name.
  package func text(_ name: String?, _ path: String) throws(VDSQError) -> String {
    guard let name else { return standard }
    if let prompt = all.first(where: { $0.name.utf8.elementsEqual(name.utf8) }) {
      return prompt.text
    }
    if Self.isImplicit(name) { return "" }
    var names = ""
    for prompt in all { names += (names.utf8.isEmpty ? "" : ", ") + prompt.name }
    throw .usage(
      "\(path): the model has no prompt \(name); "
        + (all.isEmpty ? "it has none by name" : "it has \(names)"), .prompt)
  }
}

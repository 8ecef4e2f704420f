package import VDSQFormat

extension Checkpoint {
  /// The Jinja template of chats, and where it is; nil if there is none.
  ///
  /// As in transformers, `chat_template.jinja` precedes `tokenizer_config.json`, whose template may
  /// be one of several, `default`. A GGUF file has it in `tokenizer.chat_template`.
  ///
  /// - Throws: `badInput` if a file with it is malformed.
  package func chatTemplate() throws(VDSQError) -> (source: String, place: String)? {
    let file = "\(path)/chat_template.jinja"
    if isFolder, InputFile.isPresent(file) {
      guard
        let text = String(validating: try InputFile.contents(of: file), as: UTF8.self)
      else { throw .badInput("\(file): this is no UTF-8") }
      return (text, file)
    }
    for name in ["tokenizer_config.json", "chat_template.json"] {
      guard let value = try optionalJSON(name)?["chat_template"], !value.isNull else { continue }
      let place = isFolder ? "\(path)/\(name): chat_template" : "\(path): tokenizer.chat_template"
      if let text = value.text { return (text, place) }
      for entry in value.elements ?? [] where entry["name"]?.text == "default" {
        if let text = entry["template"]?.text { return (text, place) }
      }
    }
    return nil
  }
}

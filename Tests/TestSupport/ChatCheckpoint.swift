import Foundation

/// A checkpoint of a tiny random language model that reads chats of thousands of tokens.
public enum ChatCheckpoint {
  /// Writes the checkpoint.
  ///
  /// - Returns: the path of its folder.
  public static func write(in folder: TemporaryFolder) throws -> String {
    let checkpoint = folder.path("chat-checkpoint")
    try FileManager.default.copyItem(
      atPath: Fixtures.path("language-models/qwen2"), toPath: checkpoint)
    let path = URL(fileURLWithPath: "\(checkpoint)/config.json")
    var config =
      try JSONSerialization.jsonObject(with: Data(contentsOf: path)) as? [String: Any] ?? [:]
    config["max_position_embeddings"] = 8192
    try JSONSerialization.data(withJSONObject: config).write(to: path)
    try Data(
      """
      {% for m in messages %}{{ m.role }}: {{ m.content }}\n{% endfor %}\
      {% if add_generation_prompt %}assistant:{% endif %}
      """.utf8
    ).write(to: URL(fileURLWithPath: "\(checkpoint)/chat_template.jinja"))
    return checkpoint
  }
}

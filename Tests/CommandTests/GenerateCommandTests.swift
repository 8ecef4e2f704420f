import Foundation
import TestSupport
import Testing

/// `vdsq generate`: forms of input and output, chats, failures.
@Suite struct GenerateCommandTests {
  private let folder: TemporaryFolder
  private let vdsq = Program("vdsq")
  private let model: String

  init() throws {
    folder = try TemporaryFolder()
    model = folder.path("m.vdsq")
    let result = try Program("vdsq").run(
      ["convert", Fixtures.path("language-models/qwen2"), "-o", model, "-q"])
    #expect(result.status == 0, "\(result.errors)")
  }

  private func object(_ text: String) throws -> [String: Any] {
    try #require(try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any])
  }

  @Test func promptsAndLinesAgree() throws {
    let options = ["--max-tokens", "12"]
    let one = try object(try vdsq.run(["generate", model, "hello", "--json"] + options).output)
    #expect(one["tokens"] as? Int == 12 && one["finish"] as? String == "length")
    #expect((one["logprob"] as? Double ?? 1) < 0)
    let text = try #require(one["text"] as? String)
    let plain = try vdsq.run(["generate", model, "hello"] + options)
    #expect(plain.status == 0, "\(plain.errors)")
    let lines = try vdsq.run(
      ["generate", model, "-", "--json", "--echo"] + options, input: "hello\nhello world\nhello\n")
    #expect(lines.lines.count == 3, "\(lines.errors)")
    #expect(try object(lines.lines[0])["text"] as? String == text)
    #expect(try object(lines.lines[2])["text"] as? String == text)
    #expect(try object(lines.lines[1])["line"] as? Int == 2)
    let columns = try vdsq.run(["generate", model] + options, input: "hello\nhello\n")
    #expect(columns.lines.count == 2 && columns.lines[0] == columns.lines[1])
    for policy in ["resident", "release", "stream"] {
      let same = try vdsq.run(
        ["generate", model, "hello", "--memory-policy", policy, "--memory-budget", "100M"]
          + options)
      #expect(same.output == plain.output, "\(policy): \(same.errors)")
    }
  }

  @Test func seedsDecide() throws {
    func text(_ seed: Int, _ threads: Int = 1) throws -> String {
      let result = try vdsq.run([
        "generate", model, "hello", "--max-tokens", "10", "--temperature", "1.5", "--top-p", "0.9",
        "--seed", "\(seed)", "--threads", "\(threads)",
      ])
      #expect(result.status == 0, "\(result.errors)")
      return result.output
    }
    #expect(try text(1) == text(1))
    #expect(try text(1) == text(1, 2))
    #expect(try Set((1...4).map { try text($0) }).count > 1)
    // The same prompt again has other random numbers.
    let lines = try vdsq.run(
      ["generate", model, "--max-tokens", "10", "--temperature", "3"], input: "hello\nhello\n")
    #expect(lines.lines.count == 2 && lines.lines[0] != lines.lines[1])
  }

  /// A checkpoint with a chat template; with one that is not supported, and without one.
  @Test func chatsFollowTheTemplate() throws {
    let plain = try vdsq.run(["generate", model, "hello", "--chat"])
    #expect(plain.status == 64 && plain.errors.contains("no chat template"), "\(plain)")
    func converted(_ template: String, inFile: Bool) throws -> (path: String, told: String) {
      let name = "c\(template.utf8.count)"
      let checkpoint = folder.path(name)
      try FileManager.default.copyItem(
        atPath: Fixtures.path("language-models/qwen2"), toPath: checkpoint)
      let config = ["tokenizer_class": "Qwen2Tokenizer", "chat_template": template]
      if inFile {
        try Data(template.utf8).write(
          to: URL(fileURLWithPath: "\(checkpoint)/chat_template.jinja"))
      } else {
        try JSONSerialization.data(withJSONObject: config).write(
          to: URL(fileURLWithPath: "\(checkpoint)/tokenizer_config.json"))
      }
      let path = folder.path("\(name).vdsq")
      let result = try vdsq.run(["convert", checkpoint, "-o", path])
      #expect(result.status == 0, "\(result.errors)")
      return (path, result.errors)
    }
    let template =
      "{% for m in messages %}{{ m.role }}: {{ m.content | trim }}\\n{% endfor %}"
      + "{% if add_generation_prompt %}assistant:{% endif %}"
    for inFile in [false, true] {
      let chat = try converted(template + (inFile ? "{# #}" : ""), inFile: inFile).path
      let answer = try vdsq.run(
        ["generate", chat, " hello ", "--chat", "--system", "world", "--max-tokens", "8", "--json"])
      #expect(answer.status == 0, "\(answer.errors)")
      let same = try vdsq.run(
        [
          "generate", chat, "system: world\\nuser: hello\\nassistant:", "--max-tokens", "8",
          "--json",
        ])
      #expect(answer.output == same.output, "\(same.errors)")
      let lines = try vdsq.run(
        ["generate", chat, "--chat", "--system", "world", "--max-tokens", "8", "--json"],
        input: "hello\n")
      #expect(
        try object(lines.output)["text"] as? String == object(answer.output)["text"] as? String)
    }
    let refused = try converted("{{ strftime_now('%d') }}", inFile: false)
    #expect(refused.told.contains("strftime_now"), "\(refused.told)")
    let told = try vdsq.run(["generate", refused.path, "hello", "--chat"])
    #expect(told.status == 64 && told.errors.contains("strftime_now"), "\(told)")
  }

  /// Lines that are continued together have the texts that they have alone, in their order.
  @Test func linesTogetherAreThoseAlone() throws {
    let lines = ["hello world", "hello", String(repeating: "hello ", count: 30), "world", "a", ""]
    let input = lines.map { $0 + "\n" }.joined()
    for more in [
      [], ["--temperature", "2", "--json"], ["--regex", "[ab]{2,9}", "--json", "--echo"],
    ] {
      let arguments = ["generate", model, "--max-tokens", "9", "--context", "40"] + more
      let alone = try vdsq.run(arguments, input: input)
      let together = try vdsq.run(arguments + ["--parallel", "4"], input: input)
      #expect(alone.status == 0 && together.output == alone.output, "\(together.errors)")
      #expect(alone.errors == together.errors)
    }
    try expectFailure(vdsq, ["generate", model, "--parallel", "9"], status: 64, mentioning: "8")
  }

  @Test func promptCachesAreWrittenOnceAndRead() throws {
    let cache = folder.path("prompt.keys")
    let arguments = ["generate", model, "hello world hello", "--max-tokens", "8"]
    let plain = try vdsq.run(arguments)
    let first = try vdsq.run(arguments + ["--prompt-cache", cache])
    #expect(first.status == 0 && first.output == plain.output, "\(first.errors)")
    let written = try Data(contentsOf: URL(fileURLWithPath: cache))
    let second = try vdsq.run(arguments + ["--prompt-cache", cache])
    #expect(second.status == 0 && second.output == plain.output, "\(second.errors)")
    #expect(try Data(contentsOf: URL(fileURLWithPath: cache)) == written)
    let lines = try vdsq.run(
      ["generate", model, "--max-tokens", "8", "--prompt-cache", cache],
      input: "hello world hello\nhello\n")
    #expect(lines.status == 0 && lines.lines.count == 2, "\(lines.errors)")
    let other = try vdsq.run(arguments + ["--prompt-cache", cache, "--cache-precision", "fp16"])
    #expect(other.status == 65 && other.errors.contains("--cache-precision"), "\(other.errors)")
    try written.dropLast().write(to: URL(fileURLWithPath: cache))
    let damaged = try vdsq.run(arguments + ["--prompt-cache", cache])
    #expect(damaged.status == 65 && damaged.output.isEmpty, "\(damaged.errors)")
    let missing = try vdsq.run(
      ["generate", model, "--prompt-cache", folder.path("none")], input: "hello\n")
    #expect(missing.status == 66, "\(missing.errors)")
  }

  @Test func promptsWithoutRoomFailAlone() throws {
    let long = String(repeating: "hello ", count: 30)
    let result = try vdsq.run(
      ["generate", model, "--context", "16", "--max-tokens", "4"], input: "hello\n\(long)\nhello\n")
    #expect(result.status == 0 && result.lines.count == 2, "\(result.errors)")
    #expect(result.errors.contains("line 2: a prompt of"))
    let one = try vdsq.run(["generate", model, long, "--context", "16"])
    #expect(one.status == 65 && one.errors.contains("leaves no room in 16"), "\(one)")
    let refused = try vdsq.run(["generate", model, "hello", "--memory-budget", "1M"])
    #expect(refused.status == 75 && refused.errors.contains("at least"), "\(refused)")
  }

  @Test func textsAreWhatTheyMustBe() throws {
    let choice = try vdsq.run(["generate", model, "hello", "--choices", #"yes,no\, never"#])
    #expect(["yes\n", "no, never\n"].contains(choice.output), "\(choice)")
    for seed in 1...3 {
      let drawn = try vdsq.run([
        "generate", model, "hello", "--regex", "[a-f]{3}-[0-9]+x", "--temperature", "2", "--seed",
        "\(seed)", "--max-tokens", "60", "--json",
      ])
      let answer = try object(drawn.output)
      let text = try #require(answer["text"] as? String)
      if answer["finish"] as? String != "length" {
        #expect(answer["finish"] as? String == "complete")
        #expect(text.range(of: "^[a-f]{3}-[0-9]+x$", options: .regularExpression) != nil, "\(text)")
      }
    }
    let path = try folder.write(
      Data(
        #"""
        {"type": "object", "properties": {"name": {"type": "string", "maxLength": 5},
        "size": {"enum": [1, 2]}}, "required": ["name", "size"]}
        """#.utf8), to: "schema.json")
    let json = try vdsq.run(["generate", model, "hello", "--json-schema", path])
    #expect(json.status == 0, "\(json.errors)")
    let value = try object(json.output)
    #expect((value["name"] as? String)?.count ?? 9 <= 5 && [1, 2].contains(value["size"] as? Int))
    for (arguments, word) in [
      (["--regex", "("], "not closed"), (["--choices", "a,,b"], "empty"),
      (["--regex", "a", "--choices", "a"], "exclude"),
    ] {
      let result = try vdsq.run(["generate", model, "hello"] + arguments)
      #expect(result.status == 64 && result.errors.contains(word), "\(result)")
    }
  }
}

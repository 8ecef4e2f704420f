import Foundation
import TestSupport
import Testing

/// The help, the messages and the exit codes of all commands, so that a change is seen.
///
/// `Tests/Fixtures/messages` has a file a command, with lines `$ command`, each followed by what it
/// prints (standard output and error) and its exit code in brackets. After an intended change,
/// `VDSQ_WRITE_MESSAGES=1 swift test --filter MessagesTests` writes the files again.
@Suite struct MessagesTests {
  private static let folder = Fixtures.folder.appendingPathComponent("messages")
  private static let names = try! FileManager.default
    .contentsOfDirectory(atPath: folder.path).sorted()

  /// The files that the commands name.
  private func prepare(_ folder: TemporaryFolder) throws {
    for line in [
      "ln -s '\(Fixtures.path("bert-mean"))' checkpoint", "mkdir empty",
      "vdsq convert checkpoint -o m.vdsq -q",
      "vdsq convert '\(Fixtures.path("bert-cls-f16"))' -o other.vdsq -q",
      #"for i in 1 2 3; do echo '{"text": "hello", "label": "hello"}'; done > e.jsonl"#,
      #"for i in 1 2 3; do echo '{"text": "stop", "label": "stop"}'; done >> e.jsonl"#,
      ": > empty.jsonl", "printf 'hello\\nstop\\n' > labels.txt",
      #"echo '{"text": "", "label": "a"}' > blank.jsonl"#, "echo text,label,text > twice.csv",
      #"echo '{"text": "hello", "label": "hello"}' > bad.jsonl"#,
      #"echo '{"text": "hello"' >> bad.jsonl"#, "echo stop > text.txt",
      "vdsq adapt m.vdsq e.jsonl -o a.vdsa -q",
      "vdsq learn m.vdsq learnt.vdsa --labels hello,stop -q < /dev/null",
    ] {
      let result = try Shell.run(line, in: folder.url)
      try #require(result.status == 0, "\(line): \(result.errors)")
    }
  }

  @Test(arguments: names) func messagesAreAsRecorded(_ name: String) throws {
    let folder = try TemporaryFolder()
    try prepare(folder)
    let url = Self.folder.appendingPathComponent(name)
    let recorded = try String(contentsOf: url, encoding: .utf8)
    var now = ""
    for line in recorded.split(separator: "\n") where line.hasPrefix("$ ") {
      // On one processor, because the help tells the default number of threads.
      let command = "taskset -cp 0 $$ > /dev/null; { \(line.dropFirst(2)); } 2>&1"
      let result = try Shell.run(command, in: folder.url)
      now += "\(line)\n\(result.output)[\(result.status)]\n"
    }
    if ProcessInfo.processInfo.environment["VDSQ_WRITE_MESSAGES"] != nil {
      return try now.write(to: url, atomically: true, encoding: .utf8)
    }
    let (old, new) = (blocks(recorded), blocks(now))
    for (old, new) in zip(old, new) { #expect(new == old) }
    #expect(old.count == new.count)
  }

  /// Each command with what it printed.
  private func blocks(_ text: String) -> [String] {
    text.split(separator: "\n$ ").map(String.init)
  }

  /// Every command has its file, except serve, which becomes another program.
  @Test func everyCommandIsRecorded() throws {
    let help = try Program("vdsq").run(["--help"]).output
    let start = try #require(help.range(of: "SUBCOMMANDS:\n")).upperBound
    let end = help.range(of: "\n\n", range: start..<help.endIndex)?.lowerBound ?? help.endIndex
    let commands = help[start..<end].split(separator: "\n").filter {
      $0.hasPrefix("  ") && !$0.hasPrefix("   ")
    }.compactMap { $0.split(separator: " ").first.map { "\($0).txt" } }
    #expect(commands.count == 27)
    #expect(Set(Self.names + ["serve.txt"]) == Set(commands + ["vdsq.txt", "vdsq-run.txt"]))
  }
}

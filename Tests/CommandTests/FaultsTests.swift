import Foundation
import Synchronization
import TestSupport
import Testing

/// Every good record is answered once and in order while records are broken in many ways and the
/// adapter is replaced, well and badly. `Benchmarks/faults.py` does the same for longer, and watches
/// memory.
@Suite struct FaultsTests {
  private static let broken = [
    "{bad", "{\"text\": \"x\"", "{\"text\": null}", "{\"text\": 5}", "{\"text\": [\"x\"]}", "{}",
    "[]", "null",
    "{\"text\": \"x\"} {}", "{\"text\": \"a\tb\"}", "{\"text\": \"\\x\"}",
    "{\"text\": \"x\", \"text\": \"y\"}",
    "{\"text\": \"" + String(repeating: "x", count: 1 << 20) + "\"}",
  ]

  @Test(arguments: ["vdsq", "vdsq-run"])
  func everyGoodRecordIsAnsweredOnce(_ program: String) throws {
    let folder = try TemporaryFolder()
    let model = folder.path("m.vdsq")
    let vdsq = Program("vdsq")
    _ = try vdsq.run(["convert", Fixtures.path("bert-mean"), "-o", model, "-q"])
    var good: [Data] = []
    for names in [["a", "b"], ["c", "d", "e"]] {
      let examples = names.map { "{\"text\": \"hello \($0)\", \"label\": \"\($0)\"}\n" }.joined()
      let path = try folder.write(Data(examples.utf8), to: "\(good.count).jsonl")
      let adapter = folder.path("\(good.count).vdsa")
      _ = try vdsq.run(["adapt", model, path, "-o", adapter, "--method", "frozen", "-q"])
      good.append(try Data(contentsOf: URL(filePath: adapter)))
    }
    let used = try folder.write(good[0], to: "used.vdsa")

    let process = Process()
    process.executableURL = Fixtures.products.appendingPathComponent(program)
    process.arguments =
      (program == "vdsq" ? ["classify"] : []) + [
        model, "--adapter", used, "--field", "text", "--pass", "id", "--json",
      ]
    let (input, output, errors) = (Pipe(), Pipe(), Pipe())
    (process.standardInput, process.standardOutput) = (input, output)
    process.standardError = errors
    try process.run()
    let isDone = Atomic(false)
    let identifier = process.processIdentifier
    let count = 4000
    let writer = Thread {
      for i in 0..<count {
        let record =
          i % 20 == 10
          ? Self.broken[i / 20 % Self.broken.count]
          : "{\"id\": \(i), \"text\": \"hello stop \(i)\"}"
        try? input.fileHandleForWriting.write(contentsOf: Data((record + "\n").utf8))
        if i % 20 == 0 { Thread.sleep(forTimeInterval: 0.02) }
      }
      try? input.fileHandleForWriting.close()
    }
    let replacer = Thread { [good] in
      let url = URL(filePath: used)
      var turn = 0
      while !isDone.load(ordering: .relaxed) {
        Thread.sleep(forTimeInterval: 0.05)
        let next = good[turn % 2]
        switch turn % 6 {
        case 0: try? next.write(to: url, options: .atomic)
        case 1: try? Data(repeating: 7, count: 3000).write(to: url)
        case 2: try? next.write(to: url)
        case 3: try? next.prefix(next.count / 2).write(to: url)
        case 4: try? FileManager.default.removeItem(at: url)
        default: kill(identifier, SIGHUP)
        }
        turn += 1
      }
    }
    writer.start()
    replacer.start()
    let answers = output.fileHandleForReading.readDataToEndOfFile()
    let told = String(decoding: errors.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    process.waitUntilExit()
    isDone.store(true, ordering: .relaxed)
    #expect(process.terminationReason == .exit && process.terminationStatus == 0, "\(told)")

    let lines = answers.split(separator: 10)
    try #require(lines.count == count)
    var labels: Set<String> = []
    for (i, line) in lines.enumerated() {
      let answer = try #require(try JSONSerialization.jsonObject(with: line) as? [String: Any])
      if i % 20 == 10 {
        #expect(answer["line"] as? Int == i + 1 && answer["error"] != nil)
      } else {
        #expect(answer["id"] as? Int == i)
        labels.insert(try #require(answer["label"] as? String))
      }
    }
    #expect(labels.isSubset(of: ["a", "b", "c", "d", "e"]) && labels.count > 1, "\(labels)")
    #expect(told.contains("\(program): \(count / 20) of \(count) records failed"))
  }
}

import Testing
import VDSQReports

@Suite struct ProgressLineTests {
  private let line = ProgressLine(
    title: "encoding examples.jsonl", percent: 42, secondsLeft: 100)

  @Test func theWholeLine() {
    #expect(
      line.text(columns: 100)
        == "encoding examples.jsonl [############..................] 42%, 2 min left")
    #expect(ProgressLine(title: "a", percent: 100).text(columns: 80).hasSuffix("#] 100%"))
    let empty = "[" + String(repeating: ".", count: 30) + "] 0%"
    #expect(ProgressLine(title: "a", percent: 0).text(columns: 80).hasSuffix(empty))
  }

  /// No width makes the terminal wrap, and the share is the last to go.
  @Test func noWidthWraps() {
    for columns in 0...120 {
      let text = line.text(columns: columns)
      #expect(text.count <= max(0, columns - 1), "\(columns) columns")
      if columns > 16 { #expect(text.contains("42%, 2 min left"), "\(columns) columns") }
      if columns > 24 { #expect(text.hasPrefix("enco"), "\(columns) columns") }
    }
    #expect(line.text(columns: 50) == "encoding examples.jsonl 42%, 2 min left")
    #expect(line.text(columns: 30) == "encoding exa… 42%, 2 min left")
  }

  @Test(arguments: [
    (0.2, "1 s"), (59, "59 s"), (61, "1 min"), (3540, "59 min"), (3599, "1 h 0 min"),
    (3600, "1 h 0 min"),
    (7500, "2 h 5 min"), (1e9, "100 h 0 min"), (-1, "0 s"),
  ])
  func durations(_ seconds: Double, _ text: String) {
    #expect(
      ProgressLine(title: "", percent: 1, secondsLeft: seconds).text(columns: 200)
        .hasSuffix("1%, \(text) left"))
  }
}

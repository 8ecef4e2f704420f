import Testing
import VDSQ

@Suite struct SpellingTests {
  private let names = ["--labels", "--labels-file", "--top", "--json", "--quiet", "--output"]

  @Test(arguments: [
    ("--lables", "--labels"), ("--label", "--labels"), ("--lebals-file", "--labels-file"),
    ("--outptu", "--output"), ("--tpo", "--top"), ("--jsno", "--json"), ("--qiet", "--quiet"),
    ("--labels", "--labels"),
  ])
  func misspelt(_ name: String, _ meant: String) {
    #expect(Spelling.closest(to: name, among: names) == meant)
  }

  @Test(arguments: ["--xyzzy", "--", "", "--memory-budget"])
  func unknown(_ name: String) {
    #expect(Spelling.closest(to: name, among: names) == nil)
    #expect(Spelling.closest(to: name, among: []) == nil)
  }
}

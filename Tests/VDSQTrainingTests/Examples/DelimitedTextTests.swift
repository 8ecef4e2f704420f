import Testing
import VDSQFormat
import VDSQStreams
import VDSQTraining

@Suite struct DelimitedTextTests {
  private func table(_ bytes: [UInt8]) throws -> DelimitedText {
    try DelimitedText(commaSeparated: try TextFile(bytes, path: "x.csv"))
  }

  private func table(_ text: String) throws -> DelimitedText { try table(Array(text.utf8)) }

  @Test func fieldsInQuotes() throws {
    let table = try table("a,b\n\"1,2\",\"say \"\"hi\"\"\"\n\"two\nlines\",x\"y\n,\"\"\n")
    #expect(table.names == ["a", "b"])
    #expect(
      table.records.map(\.fields) == [["1,2", "say \"hi\""], ["two\nlines", "x\"y"], ["", ""]])
    #expect(table.records.map(\.line) == [2, 3, 5])
  }

  @Test(arguments: ["\n", "\r\n", "\r"])
  func lineEnds(_ end: String) throws {
    let text = ["a,b", "1,\"2\"", "", " ", "3,4"].joined(separator: end)
    for text in [text, text + end, "\u{FEFF}" + text] {
      let table = try table(text)
      #expect(
        table.names == ["a", "b"] && table.records.map(\.fields) == [["1", "2"], ["3", "4"]])
      #expect(table.records.map(\.line) == [2, 5])
    }
  }

  /// In tab-separated text a quote is a character like others, also at the beginning of a text.
  @Test func quotesInTabSeparatedText() throws {
    let text = "text\tlabel\n\"Yes, he said.\ta\n\"\"\tb\nsay \"hi\"\tc\n\"d\"\td"
    let table = try DelimitedText(tabSeparated: try TextFile(Array(text.utf8), path: "x.tsv"))
    #expect(
      table.records.map(\.fields) == [
        ["\"Yes, he said.", "a"], ["\"\"", "b"], ["say \"hi\"", "c"], ["\"d\"", "d"],
      ])
  }

  @Test(arguments: [
    ("", "x.csv: the file is empty"), ("\n\n", "x.csv: the file is empty"),
    ("a,b\n1,2\n\n3\n", "x.csv: line 4: 1 fields, but the first line names 2"),
    ("a,b\n1,2,3\n", "x.csv: line 2: 3 fields, but the first line names 2"),
    ("a,b\n1,\"2\n3\n", "x.csv: line 2: a quote does not end"),
    ("a,b\n1,\"2\" 3\n", "x.csv: line 2: something follows a closing quote"),
  ])
  func whatIsWrong(_ text: String, _ message: String) {
    #expect { try table(text) } throws: { ($0 as? VDSQError)?.message == message }
  }

  @Test func bytesThatAreNotUTF8() {
    #expect { try table(Array("a,b\n1,".utf8) + [0xFF, 10]) } throws: {
      ($0 as? VDSQError)?.message == "x.csv: line 2: not UTF-8"
    }
    #expect { try table([0xFF, 0xFE, 0x61, 0]) } throws: {
      ($0 as? VDSQError)?.message.hasPrefix("x.csv: UTF-16") == true
    }
  }
}

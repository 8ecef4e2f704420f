import Foundation
import TestSupport
import Testing
import VDSQFormat
import VDSQSemantics

@Suite struct LabelFileTests {
  private func labels(_ text: String) throws -> [Label] {
    try LabelFile.labels(in: Array(text.utf8), path: "x")
  }

  @Test func linesAndObjectsSayTheSame() throws {
    let expected = [
      Label(name: "billing", words: ["invoice", "credit card"]), Label(name: "outage"),
    ]
    #expect(try labels("billing=invoice, credit card\n\n outage \n") == expected)
    #expect(
      try labels(" {\"billing\": [\"invoice\", \"credit card\"], \"outage\": \"outage\"}")
        == expected
    )
    let folder = try TemporaryFolder()
    let path = try folder.write(Data("billing=invoice,credit card\r\noutage".utf8), to: "l")
    #expect(try LabelFile.read(path) == expected)
  }

  /// What editors and people add changes no label.
  @Test(arguments: ["\n", "\r\n", "\r"])
  func marksLineEndsAndComments(_ end: String) throws {
    let expected = [Label(name: "billing", words: ["invoice"]), Label(name: "outage")]
    let lines = ["# classes of tickets", "billing = invoice", "  ", "#", "## more", "outage"]
    for mark in ["", "\u{FEFF}"] {
      #expect(try labels(mark + lines.joined(separator: end)) == expected)
      #expect(
        try labels(mark + "[\"billing\", \"outage\"]" + end).map(\.name) == ["billing", "outage"])
    }
    #expect(try labels("[urgent]\nother\n").map(\.name) == ["[urgent]", "other"])
  }

  @Test(arguments: [
    ("a\nb=x,c=d\n", "x: line 2: "), ("a\n=b\n", "x: line 2: "), ("a\nb\u{7}c\n", "x: "),
    ("a\n#tag\n", "x: line 2: "), ("a\n\u{c}\nb\u{2028}\n", "x: "), ("{\"a\\tb\": \"c\"}", "x: "),
    ("{\"\": \"c\"}", "x: "), ("[\"a\", 1]", "x: "), ("{\"\\ud800\": \"c\"}", "x: "),
    ("a\na", "x: "),
  ])
  func errorsNameFileAndLine(_ text: String, _ prefix: String) {
    #expect { try labels(text) } throws: {
      ($0 as? VDSQError)?.message.hasPrefix(prefix) == true
    }
  }

  /// Whatever is wrong with the contents of a file is bad input, not wrong usage.
  @Test(arguments: [
    "", "a\na\n", "a=,b\n", "a=b=c\n", "=\n", "#a\n", "{}", "[\"a\", \"a\"]", "{\"a\": [1]}",
    "{\"a\": \"\"}", "{\"a\": null}", "{\"a\"",
  ])
  func wrongContentsAreBadInput(_ text: String) {
    #expect { try labels(text) } throws: { ($0 as? VDSQError)?.category == .badInput }
  }

  /// A file with one label is no choice; so is one label on the command line, which is wrong usage.
  @Test func oneLabelIsNoChoice() throws {
    let folder = try TemporaryFolder()
    var source = LabelSource()
    source.file = try folder.write(Data("a\n".utf8), to: "l")
    #expect { try source.readChoice() } throws: {
      let error = $0 as? VDSQError
      return error?.category == .badInput && error?.message.hasPrefix(source.file!) == true
    }
    source.labels = [Label(name: "b")]
    #expect(try source.readChoice().count == 2)
    source.labels = [Label(name: "a")]
    #expect { try source.readChoice() } throws: { ($0 as? VDSQError)?.category == .usage }
    source.file = nil
    #expect { try source.readChoice() } throws: { ($0 as? VDSQError)?.category == .usage }
  }

  @Test func bytesThatAreNotUTF8() {
    #expect { try LabelFile.labels(in: [0x61, 10, 0xFF], path: "x") } throws: {
      ($0 as? VDSQError)?.message == "x: line 2: not UTF-8"
    }
    #expect { try LabelFile.labels(in: [0xFE, 0xFF, 0, 0x61], path: "x") } throws: {
      ($0 as? VDSQError)?.message.hasPrefix("x: UTF-16") == true
    }
    #expect { try LabelFile.read("/absent/labels") } throws: {
      ($0 as? VDSQError)?.category == .missingInput
    }
  }
}

import Foundation
import TestSupport
import Testing
import VDSQFormat
import VDSQSemantics
import VDSQTraining

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

  @Test(arguments: [
    ("", VDSQError.Category.usage), ("a\na\n", .usage), ("a=,b\n", .usage), ("{}", .usage),
    ("{\"a\": [1]}", .badInput), ("{\"a\": \"\"}", .badInput), ("{\"a\": null}", .badInput),
    ("{\"a\"", .badInput),
  ])
  func whatIsWrong(_ text: String, _ category: VDSQError.Category) {
    #expect { try labels(text) } throws: { ($0 as? VDSQError)?.category == category }
  }

  @Test func bytesThatAreNotUTF8() {
    #expect { try LabelFile.labels(in: [0x61, 0xFF], path: "x") } throws: {
      ($0 as? VDSQError)?.message == "x: not UTF-8"
    }
    #expect { try LabelFile.read("/absent/labels") } throws: {
      ($0 as? VDSQError)?.category == .missingInput
    }
  }
}

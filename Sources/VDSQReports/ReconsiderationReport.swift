package import VDSQStreams
package import VDSQTraining

/// An example whose label a person should check, as `vdsq review` lists it.
package struct ReconsiderationReport: Report {
  let item: Reconsideration
  let example: Examples.Example
  let other: String

  /// - Parameters:
  ///   - example: the item's example.
  ///   - other: the name of the item's other label.
  package init(_ item: Reconsideration, of example: Examples.Example, other: String) {
    self.item = item
    self.example = example
    self.other = other
  }

  /// The line in which the example begins.
  private var line: Int { example.origin?.line ?? item.example + 1 }

  package func write(to json: JSONWriter) {
    json.object {
      json.member("reconsideration", item.probability)
      json.member("line", line)
      json.member("label", example.label)
      json.member("other", other)
      json.member("text", example.text)
    }
  }

  /// Columns of a line: the text without its line ends and tabs.
  package var text: String {
    [fixed(Double(item.probability), 4), "\(line)", example.label, other, example.oneLine]
      .joined(separator: "\t")
  }
}

extension Examples.Example {
  /// The text without its line ends and tabs.
  var oneLine: String {
    text.split(whereSeparator: { $0.isNewline || $0 == "\t" }).joined(separator: " ")
  }
}

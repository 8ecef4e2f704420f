package import VDSQStreams

/// The result of a command, as text for people and as JSON for programs.
package protocol Report: JSONValue {
  /// Lines for people, the last without its line end.
  var text: String { get }
}

extension Report {
  /// One JSON value.
  package var json: String { JSONWriter.string { $0.write(self) } }
}

import VDSQFormat
package import VDSQStreams

/// What an adapter forgot.
package struct RemovalReport: Report {
  private let what: String
  private let name: String
  private let key: String
  private let left: Int

  /// - Parameters:
  ///   - what: the removed thing in a sentence.
  ///   - name: its name, which JSON has under `key`.
  ///   - left: the number of examples that are left.
  package init(what: String, name: String, key: String, left: Int) {
    (self.what, self.name, self.key, self.left) = (what, name, key, left)
  }

  package var text: String { "forgot \(what); \(counted(left, "example")) left" }

  package func write(to json: JSONWriter) {
    json.object {
      json.member(key, name)
      json.member("examples", left)
    }
  }
}

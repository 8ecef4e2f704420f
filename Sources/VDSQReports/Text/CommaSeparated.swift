/// Fields of comma-separated text (RFC 4180).
enum CommaSeparated {
  /// A field, in quotes if it has a comma, a quote or a line end; its quotes are written twice.
  static func field(_ text: String) -> String {
    let isPlain = text.utf8.allSatisfy {
      $0 != UInt8(ascii: ",") && $0 != UInt8(ascii: "\"") && $0 != 10 && $0 != 13
    }
    return isPlain ? text : "\"\(text.replacing("\"", with: "\"\""))\""
  }
}

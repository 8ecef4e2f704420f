package import VDSQ
import VDSQCheckpoints
import VDSQFormat
package import VDSQStreams

extension TextReader {
  /// Reads JSON Lines: an object per line, with the text in one of its fields.
  ///
  /// A line that is not JSON, is longer than `LineReader.longestLine` bytes or has no text in the
  /// field is an error (`badInput`) of `forEach`.
  ///
  /// - Parameters:
  ///   - field: the key of the text.
  ///   - isStrict: whether a text that is not valid UTF-8 is an error.
  package convenience init(jsonLines lines: LineReader, field: String, isStrict: Bool = false) {
    let field = JSONField(field)
    self.init(lines, isStrict: isStrict) { (line) throws(VDSQError) in
      let context = "line \(line.number)"
      guard !line.cut else {
        throw .badInput("\(context): longer than \(LineReader.longestLine) bytes of JSON")
      }
      return Array(try field.text(inLine: line.bytes, context: context).utf8)
    }
  }
}

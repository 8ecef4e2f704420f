/// The text of a token for people. Tokens of byte-level vocabularies may be parts of characters.
package enum TokenText {
  /// The text, with bytes that are no whole character as `\xE2`.
  ///
  /// - Parameter isField: whether it is a field of a line of tab-separated values (`LineText`).
  package static func shown(_ bytes: [UInt8], isField: Bool = false) -> String {
    var shown = ""
    var parser = Unicode.UTF8.ForwardParser()
    var rest = bytes.makeIterator()
    var place = 0
    while true {
      switch parser.parseScalar(from: &rest) {
      case .emptyInput: return shown
      case .valid(let units):
        place += units.count
        let scalar = String(Character(Unicode.UTF8.decode(units)))
        shown += isField ? LineText.escaped(scalar) : scalar
      case .error(let length):
        for byte in bytes[place..<place + length] {
          shown += "\\x" + (byte < 16 ? "0" : "") + String(byte, radix: 16, uppercase: true)
        }
        place += length
      }
    }
  }
}

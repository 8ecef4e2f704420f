/// Negative numbers as values of options.
///
/// A parser takes an argument that begins with `-` for an option, and then complains of a missing
/// value. No option's name is a number, so `--threads -1` is the same as `--threads=-1`.
package enum NegativeValues {
  /// Joins each option with the negative number behind it.
  package static func joined(_ arguments: [String]) -> [String] {
    var joined: [String] = []
    var rest = arguments[...]
    while let argument = rest.popFirst() {
      if argument.utf8.elementsEqual("--".utf8) { return joined + [argument] + rest }
      if let option = joined.last, option.utf8.starts(with: "--".utf8),
        !option.utf8.contains(UInt8(ascii: "=")), isNegative(argument)
      {
        joined[joined.count - 1] = "\(option)=\(argument)"
      } else {
        joined.append(argument)
      }
    }
    return joined
  }

  private static func isNegative(_ argument: String) -> Bool {
    guard argument.utf8.first == UInt8(ascii: "-"), let digit = argument.utf8.dropFirst().first
    else { return false }
    return digit >= UInt8(ascii: "0") && digit <= UInt8(ascii: "9")
  }
}

/// Negative numbers as values of options.
///
/// The parser takes an argument that begins with `-` for an option, and then complains of a missing
/// value. No option's name is a number, so `--threads -1` is the same as `--threads=-1`.
enum NegativeValues {
  /// Joins each option with the negative number behind it.
  static func joined(_ arguments: [String]) -> [String] {
    var joined: [String] = []
    var rest = arguments[...]
    while let argument = rest.popFirst() {
      if argument == "--" { return joined + [argument] + rest }
      if let option = joined.last, option.hasPrefix("--"), !option.contains("="),
        argument.hasPrefix("-"), argument.dropFirst().first?.isNumber ?? false
      {
        joined[joined.count - 1] = "\(option)=\(argument)"
      } else {
        joined.append(argument)
      }
    }
    return joined
  }
}

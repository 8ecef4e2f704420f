import ArgumentParser

/// A name on the command line that no command or option has.
///
/// Names are checked before anything else is parsed. Otherwise the parser would complain that an
/// argument is missing, where in fact its option is misspelt.
struct Misspelling: Error {
  /// What the name stands for: `option` or `command`.
  let kind: String
  let name: String
  /// The known name that is most similar; nil if none is.
  let suggestion: String?
  /// The command whose usage helps.
  let command: any ParsableCommand.Type

  /// The first misspelt name of some arguments; nil if there is none.
  static func first(in arguments: [String]) -> Misspelling? {
    var command: any ParsableCommand.Type = VDSQCommand.self
    var rest = arguments[...]
    if rest.first == "help" { rest.removeFirst() }
    if let name = rest.first, !name.hasPrefix("-") {
      let commands = VDSQCommand.configuration.subcommands
      guard let known = commands.first(where: { $0._commandName == name }) else {
        let names = commands.map { $0._commandName } + ["help"]
        return Misspelling("command", name, among: names, of: VDSQCommand.self)
      }
      command = known
      rest.removeFirst()
    }
    let names = options(of: command)
    for argument in rest {
      if argument == "--" { return nil }
      guard argument.hasPrefix("--") else { continue }
      let name = String(argument.prefix { $0 != "=" })
      if !names.contains(name) { return Misspelling("option", name, among: names, of: command) }
    }
    return nil
  }

  private init(
    _ kind: String, _ name: String, among names: [String], of command: any ParsableCommand.Type
  ) {
    self.kind = kind
    self.name = name
    self.command = command
    suggestion = names.map { (name: $0, distance: Self.distance($0, name)) }
      .filter { $0.distance <= max(1, name.count / 3) }
      .min { $0.distance < $1.distance }?.name
  }

  /// The names of a command's options, as its help lists them.
  private static func options(of command: any ParsableCommand.Type) -> [String] {
    var names = ["--help", "--version", "--help-hidden"]
    if command == VDSQCommand.self { names.append("--generate-completion-script") }
    for line in VDSQCommand.helpMessage(for: command, columns: 1000).split(separator: "\n") {
      let text = line.drop { $0 == " " }
      guard text.hasPrefix("-"), line.hasPrefix(" ") else { continue }
      for word in text.split(whereSeparator: { $0 == " " || $0 == "," }) {
        guard word.hasPrefix("-") else { break }
        names.append(String(word))
      }
    }
    return names
  }

  /// The number of letters to insert, remove, replace or swap with their neighbour (Damerau 1964,
  /// optimal string alignment).
  private static func distance(_ a: String, _ b: String) -> Int {
    let (a, b) = (Array(a), Array(b))
    var rows = [[Int]](
      repeating: [Int](repeating: 0, count: b.count + 1), count: a.count + 1)
    for i in 0...a.count {
      for j in 0...b.count {
        guard i > 0, j > 0 else {
          rows[i][j] = i + j
          continue
        }
        var best = rows[i - 1][j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1)
        best = min(best, rows[i - 1][j] + 1, rows[i][j - 1] + 1)
        if i > 1, j > 1, a[i - 1] == b[j - 2], a[i - 2] == b[j - 1] {
          best = min(best, rows[i - 2][j - 2] + 1)
        }
        rows[i][j] = best
      }
    }
    return rows[a.count][b.count]
  }
}

extension Misspelling: CustomStringConvertible {
  var description: String {
    "unknown \(kind) '\(name)'" + (suggestion.map { "; did you mean '\($0)'?" } ?? "")
  }
}

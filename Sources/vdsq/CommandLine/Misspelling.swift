import ArgumentParser
import VDSQ

/// A name on the command line that no command or option has.
///
/// It is told instead of what the parser complains of, which may be a missing argument whose option is
/// misspelt.
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
    suggestion = Spelling.closest(to: name, among: names)
  }

  /// The names of a command's options, as its help lists them.
  private static func options(of command: any ParsableCommand.Type) -> [String] {
    var names = ["--help", "--version", "--help-hidden"]
    if command == VDSQCommand.self { names.append("--generate-completion-script") }
    for line in VDSQCommand.helpMessage(for: command, columns: 1000).split(separator: "\n") {
      let text = line.drop { $0 == " " }
      guard text.hasPrefix("-"), line.hasPrefix(" ") else { continue }
      // An inverted flag is listed as `--bases/--no-bases`.
      for word in text.split(whereSeparator: { $0 == " " || $0 == "," || $0 == "/" }) {
        guard word.hasPrefix("-") else { break }
        names.append(String(word))
      }
    }
    return names
  }
}

extension Misspelling: CustomStringConvertible {
  var description: String {
    "unknown \(kind) '\(name)'" + (suggestion.map { "; did you mean '\($0)'?" } ?? "")
  }
}

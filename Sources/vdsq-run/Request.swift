/// What the command line asks for.
enum Request {
  /// To classify standard input.
  case classification
  /// To write the memory that classification will take, as JSON.
  case plan
  /// To write the usage.
  case help
  /// To write the version.
  case version
  /// To write a shell's completion script.
  case completion(CompletionScript)
}

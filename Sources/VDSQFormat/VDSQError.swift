/// What went wrong, in one line that names the file, tensor or field and what to do about it.
///
/// One type for all modules: the core throws it as a typed error (Embedded Swift has no
/// existentials), and the command line turns its category into an exit code.
public struct VDSQError: Error, Sendable {
  public enum Category: Int32, Sendable {
    /// The command was called wrongly.
    case usage = 64
    /// A file or a text is damaged, hostile, or of a kind that is not supported.
    case badInput = 65
    /// A file does not exist or cannot be read.
    case missingInput = 66
    /// A fault that no input should cause.
    case internalFault = 70
    /// The work does not fit into the memory budget.
    case budgetTooSmall = 75
  }

  public let category: Category
  public let message: String

  public init(_ category: Category, _ message: String) {
    self.category = category
    self.message = message
  }

  public static func badInput(_ message: String) -> VDSQError { VDSQError(.badInput, message) }
  public static func usage(_ message: String) -> VDSQError { VDSQError(.usage, message) }
}

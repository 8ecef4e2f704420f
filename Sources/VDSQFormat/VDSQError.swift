/// What went wrong, in one line that names the file, tensor, field or setting and what to do about it.
///
/// One type for all modules: the core throws it as a typed error, since Embedded Swift has no
/// existentials. A program may turn its category into an exit code, and its setting into the name that
/// its users know the setting by.
public struct VDSQError: Error, Sendable {
  /// The kind of an error; raw values are exit codes of `sysexits.h`.
  public enum Category: Int32, Sendable {
    /// A setting or an argument is wrong.
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

  /// What of a call an error is about, where it is about a setting rather than a file.
  public enum Setting: Sendable, Equatable {
    /// The number of threads.
    case threads
    /// The most tokens of one text.
    case maximumTokens
    /// Tokens of a sequence that is measured.
    case sequenceLength
    /// How layers' weights are kept in memory.
    case memoryPolicy
    /// The most memory that the process may take.
    case memoryBudget
    /// What logits are divided by.
    case temperature
    /// The text around labels or texts.
    case template
    /// Whether an existing file may be replaced.
    case replacesFiles
    /// Whether rows in two bits a dimension are stored.
    case coarseRows
    /// Which tensors are stored in another precision than the rest.
    case keptTensors
    /// The labels of an adapter.
    case labels
    /// The names of the fields that hold examples' texts and labels.
    case exampleFields
    /// How bases are computed, or how an adapter is trained.
    case method
  }

  /// The kind of the error.
  public let category: Category
  /// One line for a person.
  public let message: String
  /// The setting that it is about; nil if it is about something else.
  public let setting: Setting?

  /// - Parameters:
  ///   - message: one line that names what is wrong and what to do about it.
  ///   - setting: the setting that it is about.
  public init(_ category: Category, _ message: String, _ setting: Setting? = nil) {
    self.category = category
    self.message = message
    self.setting = setting
  }

  /// An error about a file or a text.
  public static func badInput(_ message: String) -> VDSQError { VDSQError(.badInput, message) }

  /// An error about a setting or an argument.
  public static func usage(_ message: String, _ setting: Setting? = nil) -> VDSQError {
    VDSQError(.usage, message, setting)
  }
}

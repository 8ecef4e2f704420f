/// An error with a message of one line, which names the file, tensor, field or setting and what to
/// do about it.
///
/// There is one type for all modules, which the core throws as a typed error, because Embedded
/// Swift has no existentials. A program can map the category to an exit code, and the setting to
/// the name that its users know.
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

  /// The setting that caused an error.
  public enum Setting: Sendable, Equatable {
    /// The number of threads.
    case threads
    /// The maximum number of tokens of a text.
    case maximumTokens
    /// The number of tokens of a measured sequence.
    case sequenceLength
    /// How layers are kept in memory.
    case memoryPolicy
    /// The limit of the process's memory.
    case memoryBudget
    /// The softmax temperature.
    case temperature
    /// The template around labels or texts.
    case template
    /// The texts that a language model's scores are compared with.
    case referenceTexts
    /// Texts without labels that training learns from.
    case unlabelledTexts
    /// Whether an existing file may be replaced.
    case replacesFiles
    /// Whether rows with two bits per dimension are stored.
    case coarseRows
    /// The rules for tensors of another type.
    case keptTensors
    /// The patterns of tensors that a conversion may leave out.
    case ignoredTensors
    /// Whether a head that a model was finetuned with is left out.
    case trainedHead
    /// The labels of an adapter.
    case labels
    /// The label of texts that belong to no other.
    case outOfScope
    /// The names of the fields that hold examples' texts and labels.
    case exampleFields
    /// The probability below which labels are withheld.
    case abstention
    /// The prompt of a sentence encoder.
    case prompt
    /// The number of dimensions of a vector.
    case dimensions
    /// The texts of a record, one or a pair.
    case texts
    /// Fields of JSON records that are copied to the output.
    case passedFields
    /// The translators of a tuned lens.
    case lens
    /// The vocabulary bases that states are compared with.
    case bases
    /// How bases are computed, or how an adapter is trained.
    case method
  }

  /// The kind of the error.
  public let category: Category
  /// One line for a person.
  public let message: String
  /// The setting that caused the error; nil if none did.
  public let setting: Setting?

  /// - Parameters:
  ///   - message: one line that names what is wrong and what to do about it.
  ///   - setting: the setting that caused the error.
  public init(_ category: Category, _ message: String, _ setting: Setting? = nil) {
    self.category = category
    self.message = message
    self.setting = setting
  }

  /// The same error, with where it arose in front of the message.
  package func within(_ context: String) -> VDSQError {
    VDSQError(category, "\(context): \(message)", setting)
  }

  /// An error about a file or a text.
  public static func badInput(_ message: String) -> VDSQError { VDSQError(.badInput, message) }

  /// An error about a setting or an argument.
  public static func usage(_ message: String, _ setting: Setting? = nil) -> VDSQError {
    VDSQError(.usage, message, setting)
  }
}

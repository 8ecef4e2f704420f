import VDSQCheckpoints
import VDSQFormat
import VDSQInference

/// Keeps the peak memory of a conversion within a budget. It refuses an insufficient budget before
/// the work, and checks the peak during the work.
struct ConversionBudget {
  /// The measured memory of the program.
  private static let program = 12 << 20
  /// The measured memory of the program with blocks of tensors.
  private static let streaming = 24 << 20
  /// The measured memory per byte of `tokenizer.json`, including its text, before the tensors.
  private static let perTokenizerByte = 3.0
  /// The freed memory that the allocator keeps.
  private static let slack = 4 << 20

  private let budget: Int?

  init(_ budget: Int?) { self.budget = budget }

  /// Checks the budget before anything is read.
  func check(folder path: String) throws(VDSQError) {
    guard budget != nil else { return }
    var needed = Self.streaming
    if let file = try? InputFile(path: "\(path)/tokenizer.json") {
      needed = max(needed, Self.program + Int(Double(file.length) * Self.perTokenizerByte))
    }
    try compare(needed)
  }

  /// Checks the peak between two steps.
  func check() throws(VDSQError) {
    guard budget != nil else { return }
    guard let peak = ProcessMemory.peakResidentBytes() else { throw ProcessMemory.unknown }
    try compare(peak)
  }

  /// The budget of the bases solver, which includes the program itself.
  func left(beside section: Int) throws(VDSQError) -> Int? {
    guard let budget else { return nil }
    ProcessMemory.trim()
    return max(1, budget - section - Self.slack)
  }

  private func compare(_ needed: Int) throws(VDSQError) {
    guard let budget, needed > budget else { return }
    throw VDSQError(
      .budgetTooSmall,
      "this conversion needs at least \((needed + 1 << 20 - 1) >> 20)M", .memoryBudget)
  }
}

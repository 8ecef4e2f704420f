import VDSQCheckpoints
import VDSQFormat
import VDSQInference

/// Keeps a conversion's peak memory within a budget: refuses what cannot do before the work, and watches it
/// after.
struct ConversionBudget {
  /// The program, measured.
  private static let program = 12 << 20
  /// The program with blocks of tensors on their way, measured.
  private static let streaming = 24 << 20
  /// What is made of a byte of `tokenizer.json`, text and all, before the tensors; measured.
  private static let perTokenizerByte = 3.0
  /// What the allocator keeps of memory that was given back.
  private static let slack = 4 << 20

  private let budget: Int?

  init(_ budget: Int?) { self.budget = budget }

  /// Before anything is read.
  func check(folder path: String) throws(VDSQError) {
    guard budget != nil else { return }
    var needed = Self.streaming
    if let file = try? InputFile(path: "\(path)/tokenizer.json") {
      needed = max(needed, Self.program + Int(Double(file.length) * Self.perTokenizerByte))
    }
    try compare(needed)
  }

  /// Between two steps.
  func check() throws(VDSQError) {
    guard budget != nil, let peak = ProcessMemory.peakResidentBytes() else { return }
    try compare(peak)
  }

  /// What solving for bases may take, which counts the program itself too.
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
